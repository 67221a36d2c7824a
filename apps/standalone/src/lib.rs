//! The whole product in one process: the four services, and whatever they need that is not there.
//!
//! Postgres, Kafka and the schema registry are each embedded only where the variable that would
//! name a running one is not set. The services are the same libraries that run as processes of
//! their own elsewhere.

mod banner;
mod cli;
mod demo;
mod endpoints;
mod house;
mod local;
mod ports;
mod world;

use std::process::ExitCode;

use adapter_kafka::tls;
use clap::Parser as _;
use runtime::{StartError, one_line, shutdown, telemetry};

use crate::cli::{Cli, Command};
use crate::house::House;

/// Reads the command line and does what it says.
pub async fn main() -> ExitCode {
    tls::prepare();
    let cli = Cli::parse();
    match obey(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn obey(cli: Cli) -> Result<ExitCode, StartError> {
    telemetry::start(&cli.telemetry())?;
    match cli.command {
        None => {
            let stop = shutdown::on_signal();
            let house = House::start(&cli.world, stop.clone()).await?;
            // Whoever stopped it while it started does not want to hear that it is ready.
            if !stop.is_cancelled() {
                banner::print(house.endpoints(), &house.database(), house.home());
            }
            house.run().await?;
            Ok(ExitCode::SUCCESS)
        }
        // Boxed, for it is by far the largest of the futures here.
        Some(Command::Demo(demo)) => Box::pin(demo::run(&demo, &cli.world)).await,
        Some(Command::Schemas(command)) => schemas::run(&command, cli.world.services()).await,
    }
}
