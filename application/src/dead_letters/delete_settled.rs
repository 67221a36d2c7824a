use domain::Timestamp;

use super::DeadLetters;
use crate::StoreError;

/// How many dead letters are deleted at once, so that no single deletion takes long.
const CHUNK: usize = 5_000;

/// Deletes the dead letters that were retried or discarded before this time, in chunks. Returns how
/// many.
///
/// # Errors
/// When the store cannot be reached. What was deleted until then is deleted.
pub async fn delete_settled_dead_letters(
    letters: &impl DeadLetters,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        match letters.delete_settled(before, CHUNK).await? {
            0 => return Ok(deleted),
            more => deleted += more,
        }
    }
}
