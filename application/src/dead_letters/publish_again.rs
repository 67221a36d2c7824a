use domain::EventId;

use super::{KeptDeadLetter, OutboxDeadLetters, RefusedEvent, Retried, Retry, RetryError};

/// Retries an event of the outbox: running relays publish it again.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublishAgain;

impl<L: OutboxDeadLetters> Retry<L> for PublishAgain {
    async fn retry(
        &self,
        letters: &L,
        letter: KeptDeadLetter<EventId, RefusedEvent>,
    ) -> Result<Retried, RetryError> {
        let was_open = letters.make_due(letter.id).await?;
        Ok(if was_open { Retried::Done } else { Retried::NotOpen })
    }
}
