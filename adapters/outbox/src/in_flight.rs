use adapter_postgres::PgError;
use adapter_postgres::ledger::READING;
use adapter_postgres::timeouts::within;
use sqlx::PgPool;
use sqlx::types::Uuid;

/// Returns those of the aggregates that have an unpublished event. Dead letters count as unpublished.
///
/// The outbox has no index on aggregates, because it would slow down every save. So the statement
/// reads the rows above the cursors, the stragglers, the gaps and the dead letters. `OFFSET 0`
/// makes Postgres use the index of the outbox for each lane, whatever the statistics say.
///
/// # Errors
/// When the database fails.
pub async fn in_flight(pool: &PgPool, aggregates: Vec<Uuid>) -> Result<Vec<Uuid>, PgError> {
    let in_flight = sqlx::query_scalar!(
        r#"
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
        SELECT DISTINCT order_id AS "order_id!"
        FROM unpublished JOIN unnest($1::uuid[]) AS asked (order_id) USING (order_id)"#,
        &aggregates[..]
    );
    within(READING, async { Ok(in_flight.fetch_all(pool).await?) }).await
}
