//! The routes of dead letters, the same on every program that has them: list, retry and discard.

mod acts;
mod id;
mod json;
mod selection;

use std::fmt;
use std::sync::Arc;

use application::StoreError;
use application::dead_letters::{DeadLetters, Retry};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::id::DeadLetterId;
pub use self::json::DeadLetterContent;

use self::acts::{Acts, Desk};
use self::json::{ActReportJson, DeadLetterPageJson, DeadLetterStateJson};
use self::selection::SelectionJson;

use super::{
    BadRequest, BodyTimeout, CrossSite, JsonBody, Malformed, Problem, QueryParameters, TooLarge,
    Unavailable, Unprocessable, UnsupportedMediaType,
};

/// What the routes work with. Routes cannot be generic, so it is behind a trait object.
#[derive(Clone)]
struct Api(Arc<dyn Acts>);

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Api").finish_non_exhaustive()
    }
}

/// The routes over these dead letters, and their documentation. `ready` says whether the store can be
/// used yet.
pub fn dead_letter_routes<L, R, F>(letters: L, how: R, ready: F) -> OpenApiRouter
where
    L: DeadLetters<Id: DeadLetterId + 'static, Content: Into<DeadLetterContent>> + 'static,
    R: Retry<L> + 'static,
    F: Fn() -> Result<(), StoreError> + Send + Sync + 'static,
{
    let mut router = OpenApiRouter::new()
        .routes(routes!(list_dead_letters))
        .routes(routes!(retry_dead_letters))
        .routes(routes!(discard_dead_letters))
        .with_state(Api(Arc::new(Desk { letters, how, ready })));
    id::describe::<L::Id>(router.get_openapi_mut());
    router
}

/// List dead letters, oldest first
///
/// Dead letters are records or events that could not be processed.
#[utoipa::path(
    get,
    path = "/api/dead-letters",
    tag = "operations",
    params(
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of dead letters on the page; default 20"),
        ("state" = Option<DeadLetterStateJson>, Query,
         description = "Only dead letters in this state; default `open`"),
        ("reason" = Option<String>, Query, min_length = 1,
         description = "Only dead letters whose reason contains this text"),
        ("eventType" = Option<String>, Query, min_length = 1,
         description = "Only dead letters of this event type, such as `OrderCreated`"),
    ),
    responses(
        (status = 200, description = "A page of dead letters", body = DeadLetterPageJson),
        BadRequest,
        Unavailable,
    ),
)]
async fn list_dead_letters(
    State(Api(acts)): State<Api>,
    query: QueryParameters,
) -> Result<Json<DeadLetterPageJson>, Problem> {
    acts.list(query).await.map(Json)
}

/// Retry dead letters
///
/// Processes dead letters again: those with the given ids, all open ones, or the open ones that match
/// a filter.
///
/// `results` has the outcome of each. With `all` or a filter, one request handles at most 500, oldest
/// first, and `more` says whether there may be others. It is safe to repeat the request.
#[utoipa::path(
    post,
    path = "/api/dead-letters/retry",
    tag = "operations",
    request_body = SelectionJson,
    responses(
        (status = 200, description = "The outcome of each", body = ActReportJson),
        Malformed,
        CrossSite,
        BodyTimeout,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
async fn retry_dead_letters(
    State(Api(acts)): State<Api>,
    JsonBody(body): JsonBody<SelectionJson>,
) -> Result<Json<ActReportJson>, Problem> {
    acts.retry(body).await.map(Json)
}

/// Discard dead letters
///
/// Discards dead letters, which cannot be undone: those with the given ids, all open ones, or the open
/// ones that match a filter. They stay in the list with the state `discarded`.
///
/// `results` has the outcome of each. With `all` or a filter, one request handles at most 500, oldest
/// first, and `more` says whether there may be others. It is safe to repeat the request.
#[utoipa::path(
    post,
    path = "/api/dead-letters/discard",
    tag = "operations",
    request_body = SelectionJson,
    responses(
        (status = 200, description = "The outcome of each", body = ActReportJson),
        Malformed,
        CrossSite,
        BodyTimeout,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
async fn discard_dead_letters(
    State(Api(acts)): State<Api>,
    JsonBody(body): JsonBody<SelectionJson>,
) -> Result<Json<ActReportJson>, Problem> {
    acts.discard(body).await.map(Json)
}
