use adapter_http::{Problem, site};
use adapter_ordering::PgOrders;
use adapter_postgres::{Database, MigrationGate};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use runtime::StartError;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::routes::{cancel_order, get_order, list_orders, place_order};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orders",
        description = "Places, shows and cancels orders. A `POST` is answered only once the order \
                       is stored together with the event that tells of it.\n\n\
                       Errors are problem details (RFC 9457). A body that is not JSON, or a wrong \
                       parameter or header, is 400; JSON that breaks a rule is 422, and `errors` \
                       names every place at once.\n\n\
                       A `POST` with an `Idempotency-Key` can be sent again safely: for a week, or as \
                       long as the operator says, the repeat gets the original answer. A `traceparent` \
                       travels with the event into Kafka."
    ),
    tags(
        (name = "orders", description = "Placing, cancelling and looking up orders"),
        (name = "operations", description = "For those who run the service")
    )
)]
struct Document;

/// The whole server of order-api, which works on at most `max_in_flight` requests at the same time.
/// Must be called on a tokio runtime.
///
/// # Errors
/// When the process counts its metrics in another way already.
pub fn router(
    database: &Database,
    tables: &MigrationGate,
    max_in_flight: u32,
) -> Result<Router, StartError> {
    let orders = api()
        .with_state(PgOrders::new(database, adapter_avro::encode_event))
        .layer(from_fn_with_state(tables.clone(), once_ready));
    site(orders, vec![tables.check(database)], max_in_flight)
}

fn api() -> OpenApiRouter<PgOrders> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(place_order::place_order, list_orders::list_orders))
        .routes(routes!(get_order::get_order))
        .routes(routes!(cancel_order::cancel_order))
}

/// Lets a request through once the tables are up to date.
async fn once_ready(
    State(tables): State<MigrationGate>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    tables.ready()?;
    Ok(next.run(request).await)
}
