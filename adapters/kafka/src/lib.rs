//! Kafka: the way events leave ordering and reach the other contexts.
//!
//! Publishing waits for the acknowledgement of every record, consuming commits an offset only after
//! the event took effect. So a record may travel twice, and none is lost.

mod client;
mod cluster;
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
