//! The relay: publishes the events of the outbox to Kafka. Every event is published at least once,
//! and the events of one order in sequence.

mod backlog;
mod outbox;
mod publisher;
mod relay_step;
mod replay;

pub use backlog::{Backlog, MeasureBacklog};
pub use outbox::{CLAIM_BYTES, Claim, Outbox, OutboxRecord, Verdict};
pub use publisher::{Delivery, Publisher};
pub use relay_step::{Step, relay_step};
pub use replay::Replay;
