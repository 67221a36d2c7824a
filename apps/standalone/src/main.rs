//! Everything in one process: `cargo run`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    standalone::main().await
}
