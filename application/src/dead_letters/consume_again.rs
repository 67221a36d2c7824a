use std::error::Error;
use std::future::Future;

use super::{ConsumerDeadLetters, DeadLetterNumber, KeptDeadLetter, Retried, Retry, RetryError};
use crate::inbox::Inbox;
use crate::published::{Content, RawRecord};
use crate::{StoreError, one_line};

/// Retries a record: decodes it and applies its event, as a consumer does.
///
/// An inbox applies each event once, so retrying one that had its effect before changes nothing.
#[derive(Debug, Clone)]
pub struct ConsumeAgain<D, I> {
    /// Decodes a record. An error of it, unlike [`Content::Unreadable`], passes with time: the schema
    /// registry cannot be reached, for example.
    pub decode: D,
    /// Where the events are applied.
    pub inbox: I,
}

impl<L, D, F, E, I, P> Retry<L> for ConsumeAgain<D, I>
where
    L: ConsumerDeadLetters,
    D: Fn(RawRecord) -> F + Send + Sync,
    F: Future<Output = Result<Content<P>, E>> + Send,
    E: Into<Box<dyn Error + Send + Sync>> + Send,
    I: Inbox<P>,
    P: Send + Sync,
{
    async fn retry(
        &self,
        letters: &L,
        letter: KeptDeadLetter<DeadLetterNumber, RawRecord>,
    ) -> Result<Retried, RetryError> {
        let KeptDeadLetter { id: number, content: record, .. } = letter;
        let content = (self.decode)(record).await;
        let content =
            content.map_err(|error| RetryError::Decode { number, source: error.into() })?;
        let reason = match content {
            Content::Unreadable(why) => why.to_string(),
            Content::UnknownType(name) => {
                format!("this program does not know the event type {name}")
            }
            Content::Event(event) => match self.inbox.apply_batch(&[event], &[]).await {
                Ok(_) => {
                    // Whatever was decided about it meanwhile, its event has had its effect.
                    letters.mark_retried(number).await?;
                    return Ok(Retried::Done);
                }
                Err(StoreError::Refused(why)) => one_line(why.as_ref()),
                Err(error) => return Err(error.into()),
            },
        };
        letters.note_reason(number, &reason).await?;
        Ok(Retried::StillDead { reason })
    }
}
