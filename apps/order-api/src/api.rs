use adapter_http::{Problem, site};
use adapter_ordering::PgOrders;
use adapter_postgres::{Database, MigrationGate};
use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use runtime::StartError;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer_waits::AnswerWaits;
use crate::routes::{cancel_order, get_order, list_orders, place_order};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orders",
        description = "Places, shows and cancels orders. A `POST` is answered after the order and \
                       its event are stored in one transaction. The pharmacy decides whether an \
                       order is completed, rejected or cancelled.\n\n\
                       Errors are problem details (RFC 9457). The status is 400 for a body that is \
                       not JSON and for an invalid parameter or header. It is 422 for an invalid JSON \
                       body; `errors` then lists all its errors.\n\n\
                       A `POST` with an `Idempotency-Key` can be retried safely: the retry gets the \
                       original answer. Operators set how long keys are kept; the default is a week. \
                       A `traceparent` header is stored with the event and published with it."
    ),
    tags(
        (name = "orders", description = "Place, cancel and show orders"),
        (name = "operations", description = "For operators of the service")
    )
)]
struct Document;

/// What the routes share.
#[derive(Debug, Clone)]
struct Shared {
    orders: PgOrders,
    waits: AnswerWaits,
}

impl FromRef<Shared> for PgOrders {
    fn from_ref(shared: &Shared) -> Self {
        shared.orders.clone()
    }
}

impl FromRef<Shared> for AnswerWaits {
    fn from_ref(shared: &Shared) -> Self {
        shared.waits.clone()
    }
}

/// The router of order-api. It handles at most `max_in_flight` concurrent requests. Must be called
/// in a tokio runtime.
///
/// # Errors
/// When the process has another recorder of metrics.
pub fn router(
    database: &Database,
    tables: &MigrationGate,
    max_in_flight: u32,
) -> Result<Router, StartError> {
    let orders = PgOrders::new(database, adapter_avro::encode_event);
    let orders = api()
        .with_state(Shared { orders, waits: AnswerWaits::new(max_in_flight) })
        .layer(from_fn_with_state(tables.clone(), require_tables));
    site(orders, vec![tables.check(database)], max_in_flight)
}

fn api() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(place_order::place_order, list_orders::list_orders))
        .routes(routes!(get_order::get_order))
        .routes(routes!(cancel_order::cancel_order))
}

/// Answers with 503 until the tables are migrated.
async fn require_tables(
    State(tables): State<MigrationGate>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    tables.ready()?;
    Ok(next.run(request).await)
}
