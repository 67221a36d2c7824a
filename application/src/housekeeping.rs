//! Housekeeping: deletes what is older than its retention, in small steps, and only by a clock that can
//! be trusted.

mod clock_state;

use std::future::Future;

pub use clock_state::ClockState;

use crate::StoreError;

/// How many rows one step deletes, so that no step takes long.
const CHUNK: usize = 5_000;

/// Calls `delete` with the maximum number of rows, until it deletes none. Returns how many were deleted.
///
/// # Errors
/// When the store cannot be reached. What was deleted until then is deleted.
pub async fn delete_in_chunks<F>(delete: impl Fn(usize) -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    let mut deleted = 0;
    loop {
        match delete(CHUNK).await? {
            0 => return Ok(deleted),
            more => deleted += more,
        }
    }
}
