//! The world that `cargo run` brings along: a real Postgres server as a child process, and inside
//! this process a Kafka cluster and a schema registry.

mod home;
pub mod kafka;
pub mod postgres;
pub mod registry;
pub mod test_postgres;

pub use home::default_home;
