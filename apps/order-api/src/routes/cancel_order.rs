use adapter_http::{
    BodyTimeout, Conflict, CrossSite, FieldError, IfMatch, JsonBody, Malformed, NotFound,
    PathParameter, PreconditionFailed, Problem, TooLarge, Unavailable, Unprocessable,
    UnsupportedMediaType, header,
};
use adapter_ordering::PgOrders;
use application::ordering::{self, CancelOrder};
use axum::Json;
use axum::extract::State;
use axum::http::{self, HeaderMap};
use axum::response::{IntoResponse, Response};
use domain::ordering::CancelReason;
use domain::{OrderId, OrderVersion};
use runtime::clock;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::order_json::{OrderBody, entity_tag};
use crate::problems::not_cancelled;
use crate::text_schema;

/// The reason of a cancellation without a reason.
const NO_REASON: &str = "no reason given";

/// A request to cancel an order
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CancelOrderBody {
    /// The reason: 1 to 500 characters after trimming
    #[schema(schema_with = text_schema::cancel_reason)]
    reason: Option<String>,
}

/// Cancel an order
///
/// A cancellation is final.
///
/// If the order is already cancelled, it is returned unchanged, with its original reason.
#[utoipa::path(
    post,
    path = "/api/orders/{id}/cancel",
    tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The id of the order"),
        ("If-Match" = Option<String>, Header, nullable = false, description = "Cancel the order only if it has this `ETag`, such as `\"1\"`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, description = "Identifies retries of this request, which get the original answer",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    request_body(content = Option<CancelOrderBody>, description = "Optional"),
    responses(
        (status = 200, description = "The order is cancelled", body = OrderBody,
         headers(("ETag" = String, description = "The version of the order")),
         example = json!({
             "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
             "customerName": "Ada Lovelace",
             "status": "cancelled",
             "version": 2,
             "items": [{"productId": 1, "quantity": 2}],
             "createdAt": "2026-01-31T12:00:00.000000Z",
             "cancellation": {
                 "reason": "ordered by mistake",
                 "at": "2026-01-31T12:05:00.000000Z",
             },
         })),
        Malformed,
        CrossSite,
        NotFound,
        BodyTimeout,
        Conflict,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(crate) async fn cancel_order(
    State(orders): State<PgOrders>,
    PathParameter(id): PathParameter<OrderId>,
    if_match: IfMatch,
    headers: HeaderMap,
    body: Option<JsonBody<CancelOrderBody>>,
) -> Result<Response, Problem> {
    let key = header(&headers, "Idempotency-Key")?;
    let body = body.map(|JsonBody(body)| body).unwrap_or_default();
    let reason = body.reason.as_deref().unwrap_or(NO_REASON).parse::<CancelReason>();
    let reason = reason
        .map_err(|error| Problem::invalid_body(vec![FieldError::body("#/reason", &error)]))?;
    let expected = if_match.versions().map(|versions| {
        versions.into_iter().filter_map(|version| OrderVersion::try_from(version).ok()).collect()
    });
    let command = CancelOrder { id, reason, expected, key };
    let order = ordering::cancel_order(&orders, command, clock::event_stamp())
        .await
        .map_err(|error| not_cancelled(id, error))?;
    let order = order.snapshot();
    let headers = [(http::header::ETAG, entity_tag(order).to_string())];
    Ok((headers, Json(OrderBody::from(order))).into_response())
}
