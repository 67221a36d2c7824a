use std::future::Future;
use std::time::Duration;

use super::OutboxRecord;

/// Port to publish records to Kafka.
pub trait Publisher: Send + Sync {
    /// Publishes these records and waits until each is acknowledged or has failed. Returns one
    /// delivery per record, in the same sequence. Callers pass at most one record per order.
    ///
    /// It MUST return within `time_left`, including all requests to other services. It MUST NOT
    /// send a record whose result could not be known by then; the result is [`Delivery::Unsent`].
    fn publish(
        &self,
        records: &[&OutboxRecord],
        time_left: Duration,
    ) -> impl Future<Output = Vec<Delivery>> + Send;
}

/// The result of sending a record to Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Kafka has acknowledged it.
    Acknowledged,
    /// It was not sent, because there was too little time left.
    Unsent,
    /// Kafka or the schema registry is unavailable. Kafka may have received the record anyway. It
    /// has to be published again.
    Unreachable(String),
    /// This record failed, and a retry may succeed.
    Failed(String),
    /// Kafka will never accept this record: it is too large, or its content is refused.
    Refused(String),
}
