use adapter_postgres::PgError;
use adapter_postgres::ledger::READING;
use adapter_postgres::timeouts::within;
use sqlx::PgPool;
use sqlx::types::Uuid;

/// Walks what lies behind the cursors, and the exceptions before them: the outbox has no index by
/// order, which every save would pay for. `OFFSET 0` has each lane looked up in the index of the outbox,
/// whatever the statistics say.
const IN_FLIGHT: &str = "
WITH unpublished AS MATERIALIZED (
    SELECT o.order_id FROM outbox_lanes AS l
    CROSS JOIN LATERAL (SELECT order_id FROM outbox AS o
                        WHERE o.lane = l.lane AND o.position > l.through OFFSET 0) AS o
    UNION ALL
    SELECT o.order_id FROM outbox_stragglers AS s
    CROSS JOIN LATERAL (SELECT order_id FROM outbox AS o
                        WHERE o.lane = s.lane AND o.position = s.position OFFSET 0) AS o
    UNION ALL
    SELECT o.order_id FROM outbox_gaps AS g
    CROSS JOIN LATERAL (SELECT order_id FROM outbox AS o
                        WHERE o.lane = g.lane
                          AND o.position BETWEEN g.first_position AND g.last_position OFFSET 0) AS o
    UNION ALL
    SELECT order_id FROM outbox_dead_letters
)
SELECT DISTINCT order_id FROM unpublished JOIN unnest($1::uuid[]) AS asked (order_id) USING (order_id)";

/// Which of these aggregates have events that are not published, or never will be.
///
/// # Errors
/// When the database fails.
pub async fn in_flight(pool: &PgPool, aggregates: Vec<Uuid>) -> Result<Vec<Uuid>, PgError> {
    within(READING, async {
        Ok(sqlx::query_scalar(IN_FLIGHT).bind(aggregates).fetch_all(pool).await?)
    })
    .await
}
