//! The program `notification`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    notification::main().await
}
