use adapter_postgres::PgError;
use application::notification::ClaimRequest;
use sqlx::PgConnection;

use super::ClaimedRow;

/// Leases lines of the log. They have one receiver, so only the limit of the claim holds.
pub(super) async fn claim_log(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let claim = lease!(
        "
        WITH due AS (
            SELECT first.id
            FROM (VALUES ('-infinity', now()),
                         (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
            CROSS JOIN LATERAL (
                SELECT id, due_at
                FROM notifications AS first
                WHERE state = 'pending' AND channel = 'log'
                  AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                  AND NOT EXISTS (
                      SELECT FROM (SELECT * FROM notifications AS same_order
                                   WHERE same_order.order_id = first.order_id OFFSET 0) AS earlier
                      WHERE earlier.channel = 'log' AND earlier.destination = first.destination
                        AND earlier.state = 'pending'
                        AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                ORDER BY due_at, id
                LIMIT $1
                FOR UPDATE OF first SKIP LOCKED
            ) AS first
            ORDER BY first.due_at, first.id
            LIMIT $1
        )",
        receiver: "NULL AS customer_name, NULL AS email, NULL AS language, NULL::text[] AS declined,
               NULL AS url, NULL::bytea AS secret, NULL::bytea[] AS previous_secrets,
               NULL::timestamptz AS failing_since",
        joins: "",
        request
    );
    Ok(claim.fetch_all(connection).await?)
}
