use adapter_http::{BadRequest, Cursor, Problem, QueryParameters, Unavailable};
use adapter_ordering::PgOrders;
use application::ordering::{self, ListOrders};
use application::paging::PageLimit;
use axum::Json;
use axum::extract::State;
use domain::ordering::StatusName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::order_json::{OrderBody, StatusBody};

/// A page of orders
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderPageBody {
    /// The orders, newest first
    items: Vec<OrderBody>,
    /// The `cursor` of the next page; null on the last page
    #[schema(required = true, example = "01890a5dac96774bbcceb302099a8057")]
    next_cursor: Option<String>,
}

/// List orders, newest first
#[utoipa::path(
    get,
    path = "/api/orders",
    tag = "orders",
    params(
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page",
         pattern = "^[0-9a-f]{32}$"),
        ("limit" = Option<i64>, Query, description = "Maximum number of orders on the page; default 20",
         minimum = 1, maximum = 100),
        ("status" = Option<StatusBody>, Query, description = "Only orders with this status"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderPageBody),
        BadRequest,
        Unavailable,
    ),
)]
pub(crate) async fn list_orders(
    State(orders): State<PgOrders>,
    mut query: QueryParameters,
) -> Result<Json<OrderPageBody>, Problem> {
    let cursor: Option<Cursor> = query.take("cursor");
    let limit: Option<PageLimit> = query.take("limit");
    let status: Option<StatusName> = query.take("status");
    query.finish()?;
    let query = ListOrders {
        status,
        cursor: cursor.map(|Cursor(id)| id),
        limit: limit.unwrap_or_default(),
    };
    let page = ordering::list_orders(&orders, query).await?;
    Ok(Json(OrderPageBody {
        items: page.items.iter().map(OrderBody::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).to_string()),
    }))
}
