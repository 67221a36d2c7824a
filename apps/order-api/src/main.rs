//! Takes orders over HTTP.

use std::process::ExitCode;

use clap::Parser as _;
use order_api::Config;
use runtime::{StartError, one_line, shutdown, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    match start(Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("order-api: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn start(config: Config) -> Result<(), StartError> {
    telemetry::start(&config.telemetry)?;
    order_api::run(config, shutdown::on_signal()).await
}
