//! The program `order-jobs`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    order_jobs::main().await
}
