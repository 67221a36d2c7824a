//! Routes that show an outbox, for operators.

use adapter_http::{Problem, Unavailable};
use adapter_outbox::{PgBacklog, PgOutboxDeadLetters};
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, KeptDeadLetter, RefusedEvent,
};
use application::relay::MeasureBacklog;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::EventId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// The path of the dead letters.
const DEAD_LETTERS: &str = "/api/outbox/dead-letters";

/// Maximum number of dead letters in a response.
const MAX_DEAD_LETTERS: usize = 100;

/// The state of the routes.
#[derive(Debug, Clone)]
struct Api {
    database: Database,
    tables: MigrationGate,
}

/// The routes that show the outbox, and their documentation. They refuse requests until the tables are
/// up to date. `all_dead_letters` says what lists all dead letters, and retries or discards them.
pub fn outbox_routes(
    database: &Database,
    tables: MigrationGate,
    all_dead_letters: &str,
) -> OpenApiRouter {
    let mut router = OpenApiRouter::new()
        .routes(routes!(show_backlog))
        .routes(routes!(list_dead_letters))
        .with_state(Api { database: database.clone(), tables });
    if let Some(path) = router.get_openapi_mut().paths.paths.get_mut(DEAD_LETTERS)
        && let Some(list) = &mut path.get
    {
        list.description = Some(format!(
            "The oldest {MAX_DEAD_LETTERS} open dead letters. Use {all_dead_letters} to list all, and \
             to retry or discard them."
        ));
    }
    router
}

/// The backlog: events in the outbox that are not published yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Backlog)]
struct BacklogJson {
    /// Number of events that are not published yet
    #[schema(example = 0)]
    unprocessed: u64,
    /// Seconds since the oldest of them was stored
    #[schema(example = 0.0)]
    oldest_seconds: f64,
    /// Number of positions that the cursors passed before their transactions ended
    #[schema(example = 0)]
    late: u64,
    /// Number of events whose publication failed and is retried
    #[schema(example = 0)]
    failed: u64,
    /// Number of events that wait, usually for a failed event of the same order
    #[schema(example = 0)]
    held: u64,
    /// Number of open dead letters: events that Kafka refused
    #[schema(example = 0)]
    dead_letters: u64,
}

/// An event that Kafka refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetter)]
struct DeadLetterJson {
    /// The id of the event
    event_id: Uuid,
    /// The id of the order
    order_id: Uuid,
    /// The version of the order after the event
    #[schema(minimum = 1)]
    order_version: i64,
    /// The event type
    #[schema(example = "OrderCreated")]
    event_type: String,
    /// Why Kafka refused the event
    #[schema(
        example = "Message production error: MessageSizeTooLarge (Broker: Message size too large)"
    )]
    reason: String,
    /// When the event became a dead letter
    #[serde(serialize_with = "adapter_http::timestamp")]
    died_at: DateTime<Utc>,
}

/// The open dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetters)]
struct DeadLettersJson {
    /// The dead letters, oldest first
    items: Vec<DeadLetterJson>,
}

/// Show the backlog
#[utoipa::path(
    get,
    path = "/api/outbox",
    tag = "outbox",
    responses((status = 200, description = "The backlog", body = BacklogJson), Unavailable),
)]
async fn show_backlog(State(api): State<Api>) -> Result<Json<BacklogJson>, Problem> {
    api.tables.ready()?;
    let backlog = PgBacklog::new(&api.database).measure().await?;
    Ok(Json(BacklogJson {
        unprocessed: backlog.unprocessed,
        oldest_seconds: backlog.oldest.as_secs_f64(),
        late: backlog.late,
        failed: backlog.failed,
        held: backlog.held,
        dead_letters: backlog.dead,
    }))
}

/// List the events that Kafka refused
#[utoipa::path(
    get,
    path = DEAD_LETTERS,
    tag = "outbox",
    responses((status = 200, description = "The open dead letters", body = DeadLettersJson), Unavailable),
)]
async fn list_dead_letters(State(api): State<Api>) -> Result<Json<DeadLettersJson>, Problem> {
    api.tables.ready()?;
    let filter = DeadLetterFilter::default();
    let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter: &filter, after: None };
    let letters = PgOutboxDeadLetters::new(&api.database).page(query, MAX_DEAD_LETTERS).await?;
    Ok(Json(DeadLettersJson { items: letters.into_iter().map(DeadLetterJson::from).collect() }))
}

impl From<KeptDeadLetter<EventId, RefusedEvent>> for DeadLetterJson {
    fn from(letter: KeptDeadLetter<EventId, RefusedEvent>) -> Self {
        Self {
            event_id: letter.id.get(),
            order_id: letter.content.aggregate_id,
            order_version: letter.content.aggregate_version,
            event_type: letter.content.event_type,
            reason: letter.reason,
            died_at: letter.kept_at.get(),
        }
    }
}
