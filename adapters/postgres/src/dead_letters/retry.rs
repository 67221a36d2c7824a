use application::StoreError;
use application::inbox::Inbox;
use application::published::Content;

use super::DeadLetters;

/// What became of a dead letter that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// Its record has had its effect, now or before.
    TakenIn,
    /// Its record still has none.
    StillDead {
        /// Why, noted with the letter.
        reason: String,
    },
}

/// Takes in the record of an open letter again, given what it says now.
///
/// Trying a letter twice, even at once, is safe: an inbox applies each event once.
///
/// # Errors
/// When the store cannot be reached; the letter stays open.
pub async fn retry(
    letters: &DeadLetters,
    id: i64,
    content: Content,
    inbox: &impl Inbox,
) -> Result<Retried, StoreError> {
    let refusal = match content {
        Content::Unreadable(why) => why.to_string(),
        Content::UnknownType(name) => format!("{name} is no event that this program knows"),
        Content::Event(event) => match inbox.take_in(&[event], &[]).await {
            Ok(_) => {
                letters.mark_retried(id).await?;
                return Ok(Retried::TakenIn);
            }
            Err(StoreError::Refused(why)) => application::one_line(why.as_ref()),
            Err(error) => return Err(error),
        },
    };
    letters.note_reason(id, &refusal).await?;
    Ok(Retried::StillDead { reason: refusal })
}
