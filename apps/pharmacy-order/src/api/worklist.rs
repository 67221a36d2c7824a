use adapter_http::{BadRequest, Problem, QueryParameters, Unavailable};
use application::pharmacy::{OpenWork, PharmacyViews};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::status::Status;

/// The orders that are not done, by status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [
    {"status": "draft", "orders": 3, "oldestSeconds": 61.5},
    {"status": "confirmed", "orders": 0, "oldestSeconds": null},
    {"status": "in_preparation", "orders": 1, "oldestSeconds": 240.0},
    {"status": "ready", "orders": 0, "oldestSeconds": null},
]}))]
pub(super) struct Worklist {
    /// One entry for each status from which an order can still be worked on
    items: Vec<WorklistEntry>,
}

/// The orders in one status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorklistEntry {
    /// The status
    status: Status,
    /// Number of orders in it
    orders: u64,
    /// Seconds since the pharmacy received the oldest of them; null if there is none
    #[schema(required = true)]
    oldest_seconds: Option<f64>,
}

impl From<OpenWork> for WorklistEntry {
    fn from(OpenWork { state, orders, oldest }: OpenWork) -> Self {
        Self { status: state.into(), orders, oldest_seconds: oldest.map(|it| it.as_secs_f64()) }
    }
}

/// Show how much there is to do
#[utoipa::path(
    get,
    path = "/api/pharmacy/worklist",
    tag = "orders",
    responses((status = 200, description = "The worklist", body = Worklist), BadRequest, Unavailable),
)]
pub(super) async fn show_worklist(
    State(api): State<Api>,
    query: QueryParameters,
) -> Result<Json<Worklist>, Problem> {
    query.finish()?;
    api.tables.ready()?;
    let open = api.orders.worklist().await?;
    Ok(Json(Worklist { items: open.into_iter().map(WorklistEntry::from).collect() }))
}
