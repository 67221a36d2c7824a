use application::StoreError;
use application::inbox::{BatchOutcome, Inbox};
use application::published::{DeadLetter, PublishedEvent};
use tokio::sync::watch;

/// An inbox that wakes the workers after it has recorded notifications.
#[derive(Debug, Clone)]
pub struct WakingInbox<I> {
    /// The inbox that records the notifications.
    pub inbox: I,
    /// Wakes the workers.
    pub wakeup: watch::Sender<()>,
}

impl<I: Inbox> Inbox for WakingInbox<I> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let outcome = self.inbox.apply_batch(events, dead).await?;
        if outcome.applied > 0 {
            self.wakeup.send_replace(());
        }
        Ok(outcome)
    }
}
