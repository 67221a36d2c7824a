//! The HTTP API, for pharmacists and operators.

mod actions;
mod order_json;
mod status;
mod worklist;

use std::str::FromStr;

use adapter_avro::encode_pharmacy_event;
use adapter_http::{
    BadRequest, Cursor, EntityTag, NotFound, PathParameter, Problem, ProblemType, QueryParameters,
    Unavailable, dead_letter_routes,
};
use adapter_pharmacy::PgPharmacyOrders;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::Retry;
use application::paging::PageLimit;
use application::pharmacy::{ListPharmacyOrders, PharmacyViews, Sequence, list_pharmacy_orders};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::OrderId;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use order_json::OrderJson;
use status::{States, Status};

/// The state of the routes.
#[derive(Debug, Clone)]
struct Api {
    orders: PgPharmacyOrders,
    tables: MigrationGate,
}

#[derive(OpenApi)]
#[openapi(
    components(schemas(ListOrder)),
    info(
        title = "Pharmacy",
        description = "The orders of the pharmacy, built from the events that it has received (they \
                       are up to date after a short delay), and the work of pharmacists on them.",
    ),
    tags(
        (name = "orders", description = "Orders to prepare"),
        (name = "work", description = "What pharmacists do with an order"),
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
    let orders = PgPharmacyOrders::new(database, encode_pharmacy_event);
    let letters = PgDeadLetters::new(database);
    let ready = {
        let tables = tables.clone();
        move || tables.ready()
    };
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list_orders))
        .routes(routes!(show_order))
        .routes(routes!(worklist::show_worklist))
        .routes(routes!(actions::confirm))
        .routes(routes!(actions::start))
        .routes(routes!(actions::ready))
        .routes(routes!(actions::dispense))
        .routes(routes!(actions::reject))
        .with_state(Api { orders, tables })
        .merge(dead_letter_routes(letters, how, ready))
}

/// Which orders of a list come first
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ListOrder {
    /// The newest
    Newest,
    /// The oldest
    Oldest,
}

/// The error for a text that is not a [`ListOrder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: newest, oldest")]
struct ListOrderError;

impl FromStr for ListOrder {
    type Err = ListOrderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            _ => Err(ListOrderError),
        }
    }
}

impl ListOrder {
    const fn sequence(self) -> Sequence {
        match self {
            Self::Newest => Sequence::NewestFirst,
            Self::Oldest => Sequence::OldestFirst,
        }
    }
}

/// One page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    /// The orders, in the requested sequence
    items: Vec<OrderJson>,
    /// The `cursor` of the next page; null on the last page
    #[schema(required = true, example = "01890a5dac96774bbcceb302099a8057")]
    next_cursor: Option<String>,
}

/// List orders
#[utoipa::path(
    get,
    path = "/api/pharmacy/orders",
    tag = "orders",
    params(
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page",
         pattern = "^[0-9a-f]{32}$"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of orders on the page; default 20"),
        ("status" = Option<Vec<Status>>, Query, style = Form, explode = false, min_items = 1,
         description = "Only orders with one of these statuses, separated by commas"),
        ("order" = Option<ListOrder>, Query,
         description = "Which orders come first: the newest, which is the default, or the oldest"),
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
    let states: Option<States> = query.take("status");
    let order: Option<ListOrder> = query.take("order");
    query.finish()?;

    api.tables.ready()?;
    let request = ListPharmacyOrders {
        states: states.map(|States(states)| states),
        sequence: order.map(ListOrder::sequence).unwrap_or_default(),
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
        (status = 200, description = "The order", body = OrderJson,
         headers(("ETag" = String, description = "The version of the pharmacy's work"))),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
async fn show_order(
    State(api): State<Api>,
    PathParameter(id): PathParameter<OrderId>,
) -> Result<Response, Problem> {
    api.tables.ready()?;
    shown_order(&api, id).await
}

/// The order, with the version of its work as the entity tag.
async fn shown_order(api: &Api, id: OrderId) -> Result<Response, Problem> {
    let view = api.orders.view(id).await?.ok_or_else(|| no_such_order(id))?;
    let headers = [(header::ETAG, EntityTag(view.work_version()).to_string())];
    Ok((headers, Json(OrderJson::from(view))).into_response())
}

fn no_such_order(id: OrderId) -> Problem {
    let detail = format!("the pharmacy has received no event of order {id}");
    Problem::new(ProblemType::NotFound, detail)
}
