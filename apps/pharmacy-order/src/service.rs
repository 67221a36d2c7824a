use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use application::pharmacy::ReceiveOrders;
use consumer::ConsumerService;
use runtime::StartError;
use tokio_util::sync::CancellationToken;

use crate::{Config, api, housekeeping};

/// Consumes the events of orders and serves the API until `shutdown` is cancelled. Then it finishes the
/// work in progress and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let Config { consumer, http_addr, kafka_group, retention } = config;
    let service =
        ConsumerService::new(&consumer, &pharmacy::TABLES, http_addr, kafka_group).await?;
    let inbox = ReceiveOrders(PgPharmacyOrders::new(&service.database));
    let how = service.consume_again(inbox.clone());
    let routes = api::routes(&service.database, service.tables.clone(), how);
    let database = service.database.clone();
    let housekeeping = housekeeping::run(&database, &retention, &shutdown);
    service.run(routes, inbox, housekeeping, shutdown.clone()).await
}
