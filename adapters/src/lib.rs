//! The technology: the only crate that knows sqlx, rdkafka, Avro and what HTTP looks like.
//!
//! Each module implements ports of `application`, or gives the apps what they share: settings,
//! telemetry, a server that stops gracefully.

#[cfg(feature = "avro")]
pub mod avro;
pub mod clock;
pub mod config;
#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kafka")]
pub mod kafka;
mod outage;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod shutdown;
mod start_error;
pub mod telemetry;
#[cfg(feature = "kafka")]
pub mod tls;
pub mod trace_context;

pub use application::one_line;
pub use outage::Outage;
pub use start_error::StartError;
