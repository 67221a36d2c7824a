use adapter_http::{BadRequest, IfNoneMatch, NotFound, PathParameter, Problem, Unavailable};
use adapter_ordering::PgOrders;
use application::ordering::OrderViews as _;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::OrderId;

use crate::order_json::{OrderBody, entity_tag};
use crate::problems::no_such_order;

/// Show an order
#[utoipa::path(
    get,
    path = "/api/orders/{id}",
    tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The id of the order"),
        ("If-None-Match" = Option<String>, Header, nullable = false, description = "The `ETag` that the client has cached, such as `\"1\"`"),
    ),
    responses(
        (status = 200, description = "The order", body = OrderBody,
         headers(("ETag" = String, description = "The version of the order"))),
        (status = 304, description = "The order still has this `ETag`",
         headers(("ETag" = String, description = "The version of the order"))),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
pub(crate) async fn get_order(
    State(orders): State<PgOrders>,
    PathParameter(id): PathParameter<OrderId>,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    let order = orders.view(id).await?.ok_or_else(|| no_such_order(id))?;
    let tag = entity_tag(&order);
    let headers = [(header::ETAG, tag.to_string())];
    Ok(if if_none_match.has(tag) {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, Json(OrderBody::from(&order))).into_response()
    })
}
