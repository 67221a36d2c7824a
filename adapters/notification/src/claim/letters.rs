use adapter_postgres::PgError;
use application::notification::{Busy, ClaimRequest};
use sqlx::PgConnection;

use super::{ClaimedRow, to_bigint};

/// How many due letters a claim looks at, for each letter that it may lease. Few customers have more than
/// two that are due at the same time.
const CANDIDATES: usize = 4;

/// Leases letters. A customer gets no more of them than can be sent to one customer at once.
///
/// A customer can have hundreds of due letters, for instance after an outage of the mail server. The letters of
/// customers that have reached their limit are skipped without looking at their orders. If the
/// candidates are letters of a customer that has not, the claim leases as many as this customer may have, and
/// the next claim finds the letters of the others.
pub(super) async fn claim_letters(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let (full, busy): (Vec<&Busy>, Vec<&Busy>) =
        request.busy.iter().partition(|busy| busy.leased >= busy.most);
    let full: Vec<&str> = full.iter().map(|busy| busy.destination.as_str()).collect();
    let (customers, room): (Vec<&str>, Vec<i64>) = busy
        .iter()
        .map(|busy| (busy.destination.as_str(), to_bigint(busy.most - busy.leased)))
        .unzip();
    let claim = lease!(
        "
        WITH candidates AS (
            SELECT id, due_at,
                   row_number() OVER (PARTITION BY destination ORDER BY due_at, id)
                       <= coalesce(busy.room, $5::bigint) AS may_start
            FROM (VALUES ('-infinity', now()),
                         (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
            CROSS JOIN LATERAL (
                SELECT id, due_at, destination
                FROM notifications AS first
                WHERE state = 'pending' AND channel = 'email'
                  AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                  AND destination <> ALL ($6::text[])
                  AND NOT EXISTS (
                      SELECT FROM (SELECT * FROM notifications AS same_order
                                   WHERE same_order.order_id = first.order_id OFFSET 0) AS earlier
                      WHERE earlier.channel = 'email' AND earlier.destination = first.destination
                        AND earlier.state = 'pending'
                        AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                ORDER BY due_at, id
                LIMIT $9
            ) AS first
            LEFT JOIN UNNEST($7::text[], $8::bigint[]) AS busy (destination, room) USING (destination)
        ), due AS (
            -- Another worker can have leased a candidate meanwhile. Then it is due at another time.
            SELECT free.id
            FROM candidates JOIN notifications AS free USING (id)
            WHERE may_start AND free.state = 'pending' AND free.due_at = candidates.due_at
            ORDER BY candidates.due_at, candidates.id
            LIMIT $1
            FOR UPDATE OF free SKIP LOCKED
        )",
        receiver: r#"orders.customer_name AS "customer_name?", customers.email, customers.language,
               customers.declined AS "declined?",
               NULL AS url, NULL::bytea AS secret, NULL::bytea[] AS previous_secrets,
               NULL::timestamptz AS failing_since"#,
        joins: "LEFT JOIN orders USING (order_id)
        LEFT JOIN customers ON customers.customer_id = leased.destination",
        request,
        to_bigint(request.per_destination),
        &full as _,
        &customers as _,
        &room,
        to_bigint(request.limit.saturating_mul(CANDIDATES))
    );
    Ok(claim.fetch_all(connection).await?)
}
