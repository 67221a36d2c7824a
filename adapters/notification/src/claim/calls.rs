use adapter_postgres::PgError;
use application::notification::ClaimRequest;
use sqlx::PgConnection;

use super::{ClaimedRow, longest_wait, to_bigint};

/// Leases calls for each webhook on its own, so that the many notifications of one that hangs are not read.
/// A webhook whose calls fail gets one, and all of these together get `failing`.
pub(super) async fn claim_calls(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let webhooks: Vec<&str> = request.busy.iter().map(|busy| busy.destination.as_str()).collect();
    let calls: Vec<i64> = request.busy.iter().map(|busy| to_bigint(busy.leased)).collect();
    let most: Vec<i64> = request.busy.iter().map(|busy| to_bigint(busy.most)).collect();
    let claim = sqlx::query_as!(
        ClaimedRow,
        r#"
        WITH candidates AS (
            SELECT first.id, first.due_at, failing_since IS NOT NULL AS is_failing
            FROM webhooks
            LEFT JOIN UNNEST($6::text[], $7::bigint[], $8::bigint[]) AS busy (webhook, calls, most)
                ON busy.webhook = webhooks.id::text
            CROSS JOIN (VALUES ('-infinity', now()),
                               (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
            CROSS JOIN LATERAL (
                SELECT id, due_at
                FROM notifications AS first
                WHERE state = 'pending' AND channel = 'webhook' AND destination = webhooks.id::text
                  AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                  AND NOT EXISTS (
                      SELECT FROM (SELECT * FROM notifications AS same_order
                                   WHERE same_order.order_id = first.order_id OFFSET 0) AS earlier
                      WHERE earlier.channel = 'webhook' AND earlier.destination = first.destination
                        AND earlier.state = 'pending'
                        AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                ORDER BY due_at, id
                LIMIT greatest(CASE WHEN failing_since IS NULL THEN coalesce(busy.most, $5::bigint)
                                    ELSE least($9::bigint, 1) END
                               - coalesce(busy.calls, 0), 0)
                FOR UPDATE OF first SKIP LOCKED
            ) AS first
        ), due AS (
            SELECT id
            FROM (SELECT id, due_at, is_failing,
                         row_number() OVER (PARTITION BY is_failing ORDER BY due_at, id) AS place
                  FROM candidates) AS candidates
            WHERE NOT is_failing OR place <= $9
            ORDER BY due_at, id
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
               webhooks.url AS "url?", webhooks.secret AS "secret?",
               ARRAY(SELECT one.secret FROM UNNEST(previous_secrets, previous_until) AS one (secret, until)
                     WHERE until > now()) AS previous_secrets,
               failing_since
        FROM leased
        LEFT JOIN webhooks ON webhooks.id::text = leased.destination AND disabled_at IS NULL"#,
        to_bigint(request.limit),
        request.lease.get(),
        request.hold.as_secs_f64(),
        longest_wait(request),
        to_bigint(request.per_destination),
        &webhooks as _,
        &calls,
        &most,
        to_bigint(request.failing)
    );
    Ok(claim.fetch_all(connection).await?)
}
