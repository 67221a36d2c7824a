//! The HTTP API, for pharmacists and operators.

mod order_json;
mod status;

use adapter_http::{
    BadRequest, Cursor, NotFound, PathParameter, Problem, ProblemType, QueryParameters,
    Unavailable, dead_letter_routes,
};
use adapter_pharmacy::PgPharmacyOrders;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::Retry;
use application::paging::PageLimit;
use application::pharmacy::{ListPharmacyOrders, PharmacyViews, list_pharmacy_orders};
use axum::Json;
use axum::extract::State;
use domain::OrderId;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use order_json::OrderJson;
use status::Status;

/// The state of the routes.
#[derive(Debug, Clone)]
struct Api {
    orders: PgPharmacyOrders,
    tables: MigrationGate,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pharmacy",
        description = "The orders of the pharmacy, built from the events that it has received. They \
                       are up to date after a short delay.",
    ),
    tags(
        (name = "orders", description = "Orders to prepare"),
        (name = "operations", description = "For operators of the service"),
    ),
)]
struct Document;

/// The routes of the API with their OpenAPI document. `how` retries a dead letter.
pub fn routes(
    database: &Database,
    tables: MigrationGate,
    how: impl Retry<PgDeadLetters> + 'static,
) -> OpenApiRouter {
    let (orders, letters) = (PgPharmacyOrders::new(database), PgDeadLetters::new(database));
    let ready = {
        let tables = tables.clone();
        move || tables.ready()
    };
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list_orders))
        .routes(routes!(show_order))
        .with_state(Api { orders, tables })
        .merge(dead_letter_routes(letters, how, ready))
}

/// One page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    /// The orders, newest id first
    items: Vec<OrderJson>,
    /// The `cursor` of the next page; null on the last page
    #[schema(required = true, example = "01890a5dac96774bbcceb302099a8057")]
    next_cursor: Option<String>,
}

/// List orders, newest first
#[utoipa::path(
    get,
    path = "/api/pharmacy/orders",
    tag = "orders",
    params(
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page",
         pattern = "^[0-9a-f]{32}$"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of orders on the page; default 20"),
        ("status" = Option<Status>, Query, description = "Only orders with this status"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderPage),
        BadRequest,
        Unavailable,
    ),
)]
async fn list_orders(
    State(api): State<Api>,
    mut query: QueryParameters,
) -> Result<Json<OrderPage>, Problem> {
    let cursor: Option<Cursor> = query.take("cursor");
    let limit: Option<PageLimit> = query.take("limit");
    let status: Option<Status> = query.take("status");
    query.finish()?;

    api.tables.ready()?;
    let request = ListPharmacyOrders {
        status: status.map(Status::filter),
        cursor: cursor.map(|Cursor(id)| id),
        limit: limit.unwrap_or_default(),
    };
    let page = list_pharmacy_orders(&api.orders, request).await?;
    Ok(Json(OrderPage {
        items: page.items.into_iter().map(OrderJson::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).to_string()),
    }))
}

/// Show an order
#[utoipa::path(
    get,
    path = "/api/pharmacy/orders/{id}",
    tag = "orders",
    params(("id" = Uuid, Path, description = "The id of the order")),
    responses(
        (status = 200, description = "The order", body = OrderJson),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
async fn show_order(
    State(api): State<Api>,
    PathParameter(id): PathParameter<OrderId>,
) -> Result<Json<OrderJson>, Problem> {
    api.tables.ready()?;
    let view = api.orders.view(id).await?.ok_or_else(|| {
        let detail = format!("the pharmacy has received no event of order {id}");
        Problem::new(ProblemType::NotFound, detail)
    })?;
    Ok(Json(view.into()))
}
