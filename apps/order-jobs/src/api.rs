//! The HTTP API of order-jobs, for operators.

use adapter_http::dead_letter_routes;
use adapter_outbox::PgOutboxDeadLetters;
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::PublishAgain;
use relay::outbox_routes;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Relay",
        description = "Publishes the events of the outbox to Kafka, and lets orders follow the pharmacy. Any \
                       number of instances share the work.",
    ),
    tags(
        (name = "outbox", description = "The backlog of the outbox"),
        (name = "operations", description = "For operators of the service"),
    ),
)]
struct Document;

/// The routes of the API with their OpenAPI document.
#[must_use]
pub fn routes(database: &Database, tables: MigrationGate) -> OpenApiRouter {
    let letters = PgOutboxDeadLetters::new(database);
    let ready = {
        let tables = tables.clone();
        move || tables.ready()
    };
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(outbox_routes(database, tables, "`/api/dead-letters`"))
        .merge(dead_letter_routes(letters, PublishAgain, ready))
}
