//! order-api: takes orders over HTTP, and shows them.
//!
//! It needs Postgres alone. An order is answered with 201 only once it is stored together with its
//! event; carrying the event to Kafka is the relay's work.

mod api;
mod config;
mod problems;
mod representation;
mod routes;
mod text_schema;

use adapter_http::{bind, serve};
use adapter_ordering as ordering;
use adapter_postgres::MigrationGate;
use runtime::StartError;
use tokio_util::sync::CancellationToken;

pub use api::router;
pub use config::Config;

/// Serves until `shutdown`, then answers the requests it has and returns.
///
/// While Postgres is down it runs all the same, says on `/readyz` that it is not ready, and answers
/// requests with 503.
///
/// # Errors
/// When a setting is wrong, the address is taken, or the tables cannot be brought up to date.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;
    let listener = listener.max_connections(config.http.http_max_connections);
    let database = ordering::database(&config.database, "order-api")?;
    let tables = MigrationGate::default();
    let router = router(&database, &tables, config.http.http_max_in_flight)?;

    let prepare = async {
        let prepare = tables.prepare(|| ordering::migrate(&database));
        shutdown.run_until_cancelled(prepare).await.unwrap_or(Ok(()))
    };
    tokio::try_join!(serve(listener, router, shutdown.clone()), prepare)?;
    database.close().await;
    Ok(())
}
