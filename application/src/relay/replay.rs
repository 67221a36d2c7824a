use std::future::Future;

use domain::Timestamp;

use crate::StoreError;

/// Port to publish events again that were published before, as long as the outbox has them.
pub trait Replay: Send + Sync {
    /// Makes events due again, from the first one of each lane that was recorded at or after `since`, or
    /// from the first one there is. Returns how many positions relays read again: dead letters and
    /// positions without an event count.
    ///
    /// The events of each aggregate MUST be claimed again in sequence. Dead letters MUST stay as they are.
    fn rewind(
        &self,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;
}
