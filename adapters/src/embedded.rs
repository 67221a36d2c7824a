//! The world that `cargo run` brings along: a real Postgres server as a child process.

mod home;
pub mod postgres;
pub mod test_postgres;

pub use home::default_home;
