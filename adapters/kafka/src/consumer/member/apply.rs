//! Applying of batches, which is retried while the store or the registry is unavailable.

use application::inbox::{Inbox, receive};
use application::one_line;
use tokio_util::sync::CancellationToken;

use super::Member;
use super::retry::{Blocked, BlockedBy, RetryWait};
use crate::consumer::measure;
use crate::consumer::membership::ProcessedOffsets;

impl<P: Send + Sync> Member<P> {
    /// Decodes and applies the next batch, and retries it through outages. `None` if shutdown was
    /// requested meanwhile.
    pub(super) async fn apply_batch(
        &mut self,
        inbox: &impl Inbox<P>,
        shutdown: &CancellationToken,
    ) -> Result<Option<ProcessedOffsets>, String> {
        let Some((batch, processed)) = self.read(shutdown).await? else {
            return Ok(None);
        };
        let mut retry = RetryWait::new();
        loop {
            let error = match receive(inbox, &batch).await {
                Ok(intake) => {
                    measure::record_batch(&self.group, &batch, intake);
                    self.resume_after(&retry);
                    return Ok(Some(processed));
                }
                Err(error) => error,
            };
            let kind = if error.is_unavailable() { BlockedBy::Outage } else { BlockedBy::Broken };
            let blocked = Blocked { reason: one_line(&error), kind };
            if !self.retry(&mut retry, blocked, shutdown).await? {
                return Ok(None);
            }
        }
    }
}
