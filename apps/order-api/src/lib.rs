//! order-api: accepts orders over HTTP and shows them.
//!
//! It needs only Postgres. It answers an order with 201 after the order and its event are stored in
//! one transaction. The relay publishes the event to Kafka.

mod answer_waits;
mod api;
mod config;
mod order_json;
mod problems;
mod routes;

use std::process::ExitCode;

use adapter_http::{bind, serve};
use adapter_ordering as ordering;
use adapter_postgres::{Database, MigrationGate};
use runtime::{StartError, shutdown};
use tokio_util::sync::CancellationToken;

pub use api::router;
pub use config::Config;

use config::Cli;

/// The `main` of the program: runs the service until it is asked to stop.
pub fn main() -> ! {
    runtime::main("order-api", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, .. }: Cli) -> Result<ExitCode, StartError> {
    run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS)
}

/// Serves until `shutdown`, then answers the open requests and returns.
///
/// While Postgres is down it keeps running: `/readyz` reports that it is not ready, and requests
/// are answered with 503.
///
/// # Errors
/// When a setting is wrong, the address is taken, or the tables cannot be migrated.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;
    let listener = listener.max_connections(config.http.http_max_connections);
    let database = Database::new(&ordering::TABLES, &config.database, "order-api")?;
    let tables = MigrationGate::default();
    let router = router(&database, &tables, config.http.http_max_in_flight)?;

    let prepare = async {
        let prepare = tables.prepare(&database);
        shutdown.run_until_cancelled(prepare).await.unwrap_or(Ok(()))
    };
    tokio::try_join!(serve(listener, router, shutdown.clone()), prepare)?;
    database.close().await;
    Ok(())
}
