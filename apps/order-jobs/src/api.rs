//! What operators ask the relay for.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Relay",
        description = "Carries the events of the outbox to Kafka. Any number of instances share \
                       the work.",
    ),
    tags((name = "operations", description = "For those who run the service")),
)]
struct Document;

/// The routes of the API, and their documentation.
pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Document::openapi())
}
