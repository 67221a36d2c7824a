//! Notification: a consumer group of its own, its own tables, its own API, and the worker that
//! sends.
pub mod api;
mod config;
mod delivery;
mod log_channel;
pub use config::Config;
pub use delivery::{Waking, deliver};
pub use log_channel::LogChannel;
/// main
pub async fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
