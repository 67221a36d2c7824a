//! The pharmacy: a consumer group of its own, its own tables, its own API.
pub mod api;
mod config;
pub use config::Config;
/// main
pub async fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
