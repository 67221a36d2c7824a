//! The world that `cargo run` brings along: a real Postgres server as a child process.

pub mod postgres;
pub mod test_postgres;
