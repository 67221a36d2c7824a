use adapter_postgres::PgError;
use application::notification::ClaimRequest;
use sqlx::PgConnection;

use super::{ClaimedRow, longest_wait, to_bigint};

/// Leases lines of the log. They have one receiver, so only the limit of the claim holds.
pub(super) async fn claim_log(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let claim = sqlx::query_as!(
        ClaimedRow,
        r#"
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
        ), leased AS (
            UPDATE notifications AS kept
            SET lease = $2, due_at = clock_timestamp() + make_interval(secs => $3)
            FROM notifications AS before JOIN due USING (id)
            WHERE kept.id = before.id
            RETURNING kept.*, before.lease IS NOT NULL AS ran_out
        )
        SELECT leased.id AS "id!", event_id AS "event_id!", channel AS "channel!",
               destination AS "destination!", order_id AS "order_id!", order_version AS "order_version!",
               event_type, occurred_at, reason, attempts AS "attempts!", due_at AS "due_at!",
               recorded_at AS "recorded_at!", ran_out AS "ran_out!",
               NULL AS customer_name, NULL AS email, NULL AS language, NULL::text[] AS declined,
               NULL AS url, NULL::bytea AS secret, NULL::bytea[] AS previous_secrets,
               NULL::timestamptz AS failing_since
        FROM leased"#,
        to_bigint(request.limit),
        request.lease.get(),
        request.hold.as_secs_f64(),
        longest_wait(request)
    );
    Ok(claim.fetch_all(connection).await?)
}
