use std::future::Future;
use std::time::Duration;

use super::OutboxRecord;

/// The way to Kafka.
pub trait Publisher: Send + Sync {
    /// Publishes these records, no two of them of the same order, and waits until each is
    /// acknowledged or given up. One delivery each, in the same order.
    ///
    /// It MUST return within `time_left`, whatever it has to ask of whom. A record whose outcome could
    /// not be known by then MUST NOT be sent; it is [`Delivery::Unsent`].
    fn publish(
        &self,
        records: &[&OutboxRecord],
        time_left: Duration,
    ) -> impl Future<Output = Vec<Delivery>> + Send;
}

/// What Kafka made of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It is acknowledged.
    Acknowledged,
    /// It was not sent, since too little time was left.
    Unsent,
    /// Kafka, or the schema registry, could not be reached. It may have arrived all the same, and
    /// is to be published again.
    Unreachable(String),
    /// This record failed, and may do better later.
    Failed(String),
    /// This record will never be accepted: too large, or refused for its content.
    Refused(String),
}
