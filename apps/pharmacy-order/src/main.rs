//! The program `pharmacy-order`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    pharmacy_order::main().await
}
