//! What the programs that publish events share: [`Relay`] publishes the events of an outbox to Kafka,
//! [`outbox_routes`] shows the outbox, and [`run_outbox_command`] executes commands for operators.
//!
//! Any number of instances share the work: each one claims lanes that no other instance has claimed.
//! During an outage of Kafka, the registry or Postgres, the relay waits. No event is lost.

mod args;
mod backlog_gauges;
mod command;
mod guard;
mod halt;
mod readers_watch;
mod relay;
mod routes;
mod topic_watch;
mod worker;

pub use args::{AdoptPromotion, RelayArgs, naming_adopt};
pub use command::{OutboxCommand, run_outbox_command};
pub use relay::Relay;
pub use routes::outbox_routes;
