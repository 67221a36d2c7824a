//! The relay: carries what the outbox holds to Kafka, in order per order, and loses nothing.

mod outbox;
mod publisher;
mod relay_step;

pub use outbox::{CLAIM_BYTES, Claim, Outbox, OutboxRecord, Verdict};
pub use publisher::{Delivery, Publisher};
pub use relay_step::{Step, relay_step};
