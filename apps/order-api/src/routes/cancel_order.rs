use adapter_http::{
    BodyTimeout, CrossSite, FieldError, IfMatch, JsonBody, Malformed, NotCancellable, NotFound,
    OptionalPreferWait, PathParameter, PreconditionFailed, Problem, TooLarge, Unavailable,
    Unprocessable, UnsupportedMediaType, header, text_schema,
};
use adapter_ordering::PgOrders;
use application::ordering::{self, RequestCancellation};
use axum::Json;
use axum::extract::State;
use axum::http::{self, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::ordering::{CancelReason, CannotCancel, OrderSnapshot, OrderStatus};
use domain::{OrderId, OrderVersion};
use runtime::clock;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer_waits::AnswerWaits;
use crate::order_json::{OrderBody, entity_tag};
use crate::problems::{not_cancellable, not_requested};

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

/// Ask the pharmacy to cancel an order
///
/// The pharmacy answers later: the order is then cancelled, or has the status that the pharmacy has reached.
/// Get the order to see the answer, or wait for it with `Prefer: wait=5`.
///
/// If the order is already cancelled, or was already asked for, it is returned unchanged, with the original
/// reason. A cancellation is final.
#[utoipa::path(
    post,
    path = "/api/orders/{id}/cancel",
    tag = "orders",
    params(
        ("id" = Uuid, Path, description = "The id of the order"),
        ("If-Match" = Option<String>, Header, nullable = false, description = "Store the request only if the order has this `ETag`, such as `\"1\"`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, description = "Identifies retries of this request, which get the original answer",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
        ("Prefer" = Option<String>, Header, nullable = false, description = "`wait=5` waits at most 5 seconds for the answer of the pharmacy (RFC 7240). \
          At most 10 seconds are possible. Anything else is ignored", example = "wait=5"),
    ),
    request_body(content = Option<CancelOrderBody>, description = "Optional"),
    responses(
        (status = 200, description = "The order is cancelled", body = OrderBody,
         headers(
             ("ETag" = String, description = "The version of the order"),
             ("Preference-Applied" = String, description = "The wait that was applied, such as `wait=5`"),
         ),
         example = json!({
             "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
             "customerName": "Ada Lovelace",
             "status": "cancelled",
             "version": 3,
             "items": [{"productId": 1, "quantity": 2}],
             "createdAt": "2026-01-31T12:00:00.000000Z",
             "history": [
                 {"status": "created", "at": "2026-01-31T12:00:00.000000Z"},
                 {"status": "cancellation_requested", "at": "2026-01-31T12:05:00.000000Z"},
                 {"status": "cancelled", "at": "2026-01-31T12:05:01.000000Z"},
             ],
             "cancellation": {
                 "reason": "ordered by mistake",
                 "at": "2026-01-31T12:05:01.000000Z",
             },
         })),
        (status = 202, description = "The request is stored. The pharmacy has not answered yet", body = OrderBody,
         headers(
             ("ETag" = String, description = "The version of the order"),
             ("Preference-Applied" = String, description = "The wait that was applied, such as `wait=5`"),
         ),
         example = json!({
             "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
             "customerName": "Ada Lovelace",
             "status": "cancellation_requested",
             "version": 2,
             "items": [{"productId": 1, "quantity": 2}],
             "createdAt": "2026-01-31T12:00:00.000000Z",
             "history": [
                 {"status": "created", "at": "2026-01-31T12:00:00.000000Z"},
                 {"status": "cancellation_requested", "at": "2026-01-31T12:05:00.000000Z"},
             ],
             "cancellation": {
                 "reason": "ordered by mistake",
                 "at": "2026-01-31T12:05:00.000000Z",
             },
         })),
        Malformed,
        CrossSite,
        NotFound,
        BodyTimeout,
        NotCancellable,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(crate) async fn cancel_order(
    State(orders): State<PgOrders>,
    State(waits): State<AnswerWaits>,
    PathParameter(id): PathParameter<OrderId>,
    if_match: IfMatch,
    OptionalPreferWait(wait): OptionalPreferWait,
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
    let command = RequestCancellation { id, reason, expected, key };
    let order = ordering::request_cancellation(&orders, command, clock::event_stamp())
        .await
        .map_err(|error| not_requested(id, error))?;
    if let Some(wait) = wait
        && matches!(order.snapshot().status(), OrderStatus::CancellationRequested { .. })
        && let Some(order) = waits.wait(&orders, id, wait.deadline()).await?
    {
        let mut response = answer(&order);
        let applied = HeaderValue::try_from(wait.applied()).map_err(Problem::internal)?;
        response.headers_mut().insert("preference-applied", applied);
        return Ok(response);
    }
    Ok(answer(order.snapshot()))
}

/// The answer to a request to cancel this order, which was stored.
fn answer(order: &OrderSnapshot) -> Response {
    let status = match order.status() {
        OrderStatus::CancellationRequested { .. } => StatusCode::ACCEPTED,
        OrderStatus::Cancelled { .. } => StatusCode::OK,
        _ => return not_cancellable(CannotCancel::Declined).into_response(),
    };
    let headers = [(http::header::ETAG, entity_tag(order).to_string())];
    (status, headers, Json(OrderBody::from(order))).into_response()
}
