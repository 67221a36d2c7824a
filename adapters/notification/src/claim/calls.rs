use adapter_postgres::PgError;
use application::notification::ClaimRequest;
use sqlx::PgConnection;

use super::{ClaimedRow, to_bigint};

/// Leases calls for each webhook on its own, so that the many notifications of one that hangs are not read.
/// A webhook whose calls fail gets one, and all of these together get `failing`.
pub(super) async fn claim_calls(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let webhooks: Vec<&str> = request.busy.iter().map(|busy| busy.destination.as_str()).collect();
    let calls: Vec<i64> = request.busy.iter().map(|busy| to_bigint(busy.leased)).collect();
    let most: Vec<i64> = request.busy.iter().map(|busy| to_bigint(busy.most)).collect();
    let claim = lease!(
        "
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
        )",
        receiver: r#"NULL AS customer_name, NULL AS email, NULL AS language, NULL::text[] AS declined,
               webhooks.url AS "url?", webhooks.secret AS "secret?",
               ARRAY(SELECT one.secret FROM UNNEST(previous_secrets, previous_until) AS one (secret, until)
                     WHERE until > now()) AS previous_secrets,
               failing_since"#,
        joins: "LEFT JOIN webhooks ON webhooks.id::text = leased.destination AND disabled_at IS NULL",
        request,
        to_bigint(request.per_destination),
        &webhooks as _,
        &calls,
        &most,
        to_bigint(request.failing)
    );
    Ok(claim.fetch_all(connection).await?)
}
