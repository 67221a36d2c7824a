mod body;

use adapter_http::{
    BodyTimeout, CrossSite, JsonBody, Malformed, Problem, TooLarge, Unavailable, Unprocessable,
    UnsupportedMediaType, header,
};
use adapter_ordering::PgOrders;
use application::ordering::{self, PlaceOrder, Saved};
use axum::Json;
use axum::extract::State;
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::clock;

use self::body::PlaceOrderBody;
use crate::order_json::{OrderBody, entity_tag};
use crate::problems::not_placed;

/// Place an order
///
/// The answer is sent after the order and its event are stored in one transaction.
///
/// Kafka does not have to be available.
#[utoipa::path(
    post,
    path = "/api/orders",
    tag = "orders",
    params(
        ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
         description = "Identifies retries of this request, which get the original answer"),
    ),
    request_body = PlaceOrderBody,
    responses(
        (status = 201, description = "The order is stored", body = OrderBody, headers(
            ("Location" = String, description = "The path of the order. It begins with the `X-Forwarded-Prefix` of the request, if there is one"),
            ("ETag" = String, description = "The version of the order"),
            ("Idempotency-Replayed" = bool, description = "`true` if this is the original answer to an earlier request"),
        )),
        Malformed,
        CrossSite,
        BodyTimeout,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(crate) async fn place_order(
    State(orders): State<PgOrders>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PlaceOrderBody>,
) -> Result<Response, Problem> {
    let key = header(&headers, "Idempotency-Key")?;
    let order = body.read(clock::new_order_id())?;
    let placed = ordering::place_order(&orders, PlaceOrder { order, key }, clock::event_stamp())
        .await
        .map_err(not_placed)?;
    let (order, replayed) = match &placed {
        Saved::Stored(order) => (order.snapshot(), false),
        Saved::AnsweredBefore(order) => (order.snapshot(), true),
    };
    let headers = [
        (http::header::LOCATION, format!("/api/orders/{}", order.id)),
        (http::header::ETAG, entity_tag(order).to_string()),
    ];
    let mut response = (StatusCode::CREATED, headers, Json(OrderBody::from(order))).into_response();
    if replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}
