//! Kafka clients: the publisher of the outbox and the consumers of the other contexts.
//!
//! The publisher waits for the acknowledgement of every record. A consumer commits an offset only
//! after the event was applied. So an event can be delivered twice, but is never lost.

mod client;
mod cluster;
mod cluster_validation;
mod consumer;
mod decoder;
mod properties;
mod publisher;
mod raw;
mod registry;
mod security;
mod servers;
mod settings;
pub mod subjects;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod topic;
mod watch;
mod wire;

pub use cluster::Cluster;
pub use consumer::{ConsumeError, ConsumerConfig, ConsumerHealth, consume};
pub use decoder::{EventDecoder, RegistryUnavailable};
pub use publisher::{KafkaPublisher, PublisherError};
pub use registry::{Registry, RegistryError};
pub use settings::PARTITIONS;
pub use watch::{Watch, WatchError, Watched};
