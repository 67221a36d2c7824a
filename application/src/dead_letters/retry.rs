use std::error::Error;
use std::future::Future;
use std::ops::ControlFlow;

use super::{
    ActOutcome, ActResult, DeadLetterNumber, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept,
    PAGE, Selection,
};
use crate::StoreError;

/// How the content of a dead letter gets its effect after all.
pub trait Retry<L: DeadLetters>: Send + Sync {
    /// Retries an open dead letter and records what became of it.
    ///
    /// It MUST be safe to retry the same one several times, even at once.
    fn retry(
        &self,
        letters: &L,
        letter: Kept<L>,
    ) -> impl Future<Output = Result<Retried, RetryError>> + Send;
}

/// What became of a dead letter that was retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// A record has had its effect, now or before; an event is to be published again.
    Done,
    /// Its content still cannot be processed.
    StillDead {
        /// Why, recorded as the new reason.
        reason: String,
    },
    /// It is not open any more.
    NotOpen,
}

/// Why dead letters could not be retried. What was reported before is done.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The store failed.
    #[error("cannot read or change the dead letters")]
    Store(#[from] StoreError),
    /// A record cannot be decoded now; it may be possible later. The dead letter stays open.
    #[error("the record of dead letter {number} cannot be decoded now; retry it later")]
    Decode {
        /// The dead letter.
        number: DeadLetterNumber,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Retries the selected dead letters one after the other.
///
/// `report` gets each result and may end the act after it. Results come in the order of the ids given,
/// or oldest first.
///
/// # Errors
/// When the store cannot be reached, or a record cannot be decoded for now.
pub async fn retry_dead_letters<L: DeadLetters>(
    letters: &L,
    how: &impl Retry<L>,
    selection: &Selection<L::Id>,
    mut report: impl FnMut(ActResult<L::Id>) -> ControlFlow<()> + Send,
) -> Result<(), RetryError> {
    match selection {
        Selection::Ids(ids) => {
            for &id in ids {
                let found = letters.find(id).await?;
                let open = found.filter(|one| one.state.status() == DeadLetterStatus::Open);
                let outcome = match open {
                    Some(letter) => retry_one(letters, how, letter).await?,
                    None => ActOutcome::NotOpen,
                };
                if report(ActResult { id, outcome }).is_break() {
                    return Ok(());
                }
            }
        }
        Selection::Matching(filter) => {
            let mut after = None;
            loop {
                let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter, after };
                let page = letters.page(query, PAGE).await?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id);
                for letter in page {
                    let id = letter.id;
                    let outcome = retry_one(letters, how, letter).await?;
                    if report(ActResult { id, outcome }).is_break() {
                        return Ok(());
                    }
                }
            }
        }
    }
    Ok(())
}

async fn retry_one<L: DeadLetters>(
    letters: &L,
    how: &impl Retry<L>,
    letter: Kept<L>,
) -> Result<ActOutcome, RetryError> {
    Ok(match how.retry(letters, letter).await? {
        Retried::Done => ActOutcome::Retried,
        Retried::StillDead { reason } => ActOutcome::StillDead { reason },
        Retried::NotOpen => ActOutcome::NotOpen,
    })
}
