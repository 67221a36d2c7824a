//! The actions of pharmacists.

use adapter_http::{
    BadRequest, BodyErrors, BodyTimeout, CrossSite, IllegalTransition, JsonBody, Malformed,
    NotFound, PathParameter, PreconditionFailed, PreconditionRequired, Problem, ProblemType,
    RequiredIfMatch, TooLarge, Unavailable, Unprocessable, UnsupportedMediaType, text_schema,
};
use application::pharmacy::{WorkOnOrder, WorkOnOrderError, WorkState, work_on_order};
use axum::extract::State;
use axum::response::Response;
use domain::OrderId;
use domain::pharmacy::{Command, Rejection};
use runtime::clock;
use serde::Deserialize;
use utoipa::ToSchema;

use super::status::ActionJson;
use super::{Api, no_such_order, shown_order};
use crate::api::order_json::OrderJson;

/// Defines the handler of an action without a body.
macro_rules! action {
    ($(#[$doc:meta])+ $name:ident, $path:literal, $command:expr) => {
        $(#[$doc])+
        #[utoipa::path(
            post,
            path = $path,
            tag = "work",
            params(
                ("id" = Uuid, Path, description = "The id of the order"),
                ("If-Match" = String, Header, description = "The `ETag` of the order, such as `\"1\"`, or `*`",
                 pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
            ),
            responses(
                (status = 200, description = "The order after the action", body = OrderJson,
                 headers(("ETag" = String, description = "The version of the pharmacy's work"))),
                BadRequest,
                CrossSite,
                NotFound,
                IllegalTransition,
                PreconditionFailed,
                PreconditionRequired,
                Unavailable,
            ),
        )]
        pub(super) async fn $name(
            State(api): State<Api>,
            PathParameter(id): PathParameter<OrderId>,
            if_match: RequiredIfMatch,
        ) -> Result<Response, Problem> {
            act(&api, id, if_match, $command).await
        }
    };
}

action!(
    /// Confirm an order
    ///
    /// A pharmacist has reviewed it, and it can be prepared.
    confirm, "/api/pharmacy/orders/{id}/confirm", Command::Confirm
);
action!(
    /// Start to prepare an order
    start, "/api/pharmacy/orders/{id}/start", Command::Start
);
action!(
    /// Mark an order as ready for the customer
    ready, "/api/pharmacy/orders/{id}/ready", Command::MarkReady
);
action!(
    /// Dispense an order
    ///
    /// The customer has it. This is final: the order can no longer be cancelled.
    dispense, "/api/pharmacy/orders/{id}/dispense", Command::Dispense
);

/// Why the pharmacy does not dispense an order
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"code": "out_of_stock", "text": "We get it again next week"}))]
#[serde(deny_unknown_fields)]
pub(super) struct RejectionBody {
    /// The kind of the reason
    #[schema(pattern = "^(out_of_stock|invalid_prescription|contraindication|duplicate|other)$")]
    code: String,
    /// The reason in words, for the customer: 1 to 500 characters after trimming
    #[schema(schema_with = text_schema::rejection_text)]
    text: String,
}

/// Reject an order
///
/// The pharmacy does not dispense it. This is final.
#[utoipa::path(
    post,
    path = "/api/pharmacy/orders/{id}/reject",
    tag = "work",
    params(
        ("id" = Uuid, Path, description = "The id of the order"),
        ("If-Match" = String, Header, description = "The `ETag` of the order, such as `\"1\"`, or `*`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
    ),
    request_body = RejectionBody,
    responses(
        (status = 200, description = "The rejected order", body = OrderJson,
         headers(("ETag" = String, description = "The version of the pharmacy's work"))),
        Malformed,
        CrossSite,
        NotFound,
        BodyTimeout,
        IllegalTransition,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        PreconditionRequired,
        Unavailable,
    ),
)]
pub(super) async fn reject(
    State(api): State<Api>,
    PathParameter(id): PathParameter<OrderId>,
    if_match: RequiredIfMatch,
    JsonBody(body): JsonBody<RejectionBody>,
) -> Result<Response, Problem> {
    let command = Command::Reject(rejection(&body)?);
    act(&api, id, if_match, command).await
}

fn rejection(body: &RejectionBody) -> Result<Rejection, Problem> {
    let mut errors = BodyErrors::default();
    let code = errors.collect(body.code.parse(), "#/code");
    let text = errors.collect(body.text.parse(), "#/text");
    errors.finish(code.zip(text).map(|(code, text)| Rejection { code, text }))
}

/// Carries out a command and shows the order.
async fn act(
    api: &Api,
    id: OrderId,
    RequiredIfMatch(if_match): RequiredIfMatch,
    command: Command,
) -> Result<Response, Problem> {
    api.tables.ready()?;
    let command = WorkOnOrder { id, command, expected: if_match.versions() };
    work_on_order(&api.orders, command, clock::event_stamp())
        .await
        .map_err(|error| not_done(id, error))?;
    shown_order(api, id).await
}

/// The problem for a command that was not carried out.
fn not_done(id: OrderId, error: WorkOnOrderError) -> Problem {
    match error {
        WorkOnOrderError::NotFound => no_such_order(id),
        WorkOnOrderError::OtherVersion { .. } => {
            Problem::new(ProblemType::PreconditionFailed, error.to_string())
        }
        WorkOnOrderError::IllegalTransition(illegal) => {
            let allowed: Vec<_> = illegal
                .status
                .allowed_actions()
                .iter()
                .map(|action| ActionJson::from(*action).name())
                .collect();
            let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
            let status = WorkState::from(&illegal.status).as_str();
            let detail = format!("the order is {status}; allowed actions: {allowed}");
            Problem::new(ProblemType::IllegalTransition, detail)
        }
        WorkOnOrderError::ContentsUnknown | WorkOnOrderError::Contended => {
            Problem::new(ProblemType::Conflict, error.to_string())
        }
        WorkOnOrderError::Store(error) => Problem::from(error),
    }
}
