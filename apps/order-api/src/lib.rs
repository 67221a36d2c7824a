//! order-api: takes orders over HTTP, and shows them.
//!
//! It needs Postgres alone. An order is answered with 201 only once it is stored together with its
//! event; carrying the event to Kafka is the relay's work.

mod api;
mod config;
mod problems;
mod representation;
mod routes;
mod tables;

use adapters::StartError;
use adapters::http::{bind, serve};
use adapters::postgres::Database;
use tokio_util::sync::CancellationToken;

pub use api::router;
pub use config::Config;
pub use tables::Tables;

/// Serves until `shutdown`, then answers the requests it has and returns.
///
/// While Postgres is down it runs all the same, says on `/readyz` that it is not ready, and answers
/// requests with 503.
///
/// # Errors
/// When a setting is wrong, the address is taken, or the tables cannot be brought up to date.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;
    let database = Database::new(&config.database, "order-api")?;
    let tables = Tables::default();
    let router = router(database.clone(), tables.clone())?;

    // Whichever ends first, by an error, ends the other too.
    let stop = shutdown.child_token();
    let serving = async {
        let served = serve(listener, router, stop.clone()).await;
        stop.cancel();
        served
    };
    let preparing = async {
        let prepared = tables.prepare(&database, &stop).await;
        if prepared.is_err() {
            stop.cancel();
        }
        prepared
    };
    let (served, prepared) = tokio::join!(serving, preparing);
    database.close().await;
    prepared.and(served)
}
