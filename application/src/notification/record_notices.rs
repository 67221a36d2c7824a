use super::{Notice, Notifications};
use crate::StoreError;
use crate::inbox::{BatchOutcome, Inbox};
use crate::published::{DeadLetter, PublishedEvent};

/// The inbox of notification: records whom to tell of each event.
///
/// Sending is a separate step, so a provider is never called inside a transaction.
#[derive(Debug, Clone)]
pub struct RecordNotices<S> {
    /// The store of notifications.
    pub notifications: S,
    /// Whether customers get letters.
    pub letters: bool,
}

impl<S: Notifications> Inbox for RecordNotices<S> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let notices: Vec<Notice> = events.iter().map(Notice::of).collect();
        self.notifications.record(&notices, self.letters, dead).await
    }
}
