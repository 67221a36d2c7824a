use adapter_postgres::{KeptSessions, PgError, dead_letters, storable};
use application::notification::{EventType, Notice};
use application::published::DeadLetter;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// Records the notices that are new, and stores the dead letters. Returns how many notices were new.
pub(super) async fn record(
    sessions: &KeptSessions,
    notices: &[Notice],
    letters: bool,
    dead: &[DeadLetter],
) -> Result<u64, PgError> {
    let customers: Vec<_> =
        notices.iter().filter_map(|one| Some(one.customer.as_ref()?.id.as_str())).collect();
    let redacted: Vec<_> = notices
        .iter()
        .filter(|one| one.event_type == EventType::Redacted)
        .map(|one| one.order_id.get())
        .collect();
    let mut session = sessions.acquire().await?;
    if dead.is_empty() && customers.is_empty() && redacted.is_empty() {
        // A single statement needs no explicit transaction.
        let applied = insert(&mut session, notices, letters).await?;
        session.keep();
        return Ok(applied);
    }
    let mut transaction = session.begin().await?;
    if !customers.is_empty() {
        know(&mut transaction, &customers).await?;
    }
    let applied = insert(&mut transaction, notices, letters).await?;
    if !redacted.is_empty() {
        redact(&mut transaction, &redacted).await?;
    }
    dead_letters::keep(&mut transaction, dead).await?;
    transaction.commit().await?;
    session.keep();
    Ok(applied)
}

/// Makes a row for each customer, in the order of keys against deadlocks. An erasure locks it.
async fn know(connection: &mut PgConnection, customers: &[&str]) -> Result<(), PgError> {
    let know = sqlx::query!(
        "INSERT INTO customers (customer_id)
         SELECT DISTINCT id FROM UNNEST($1::text[]) AS id ORDER BY id
         ON CONFLICT DO NOTHING",
        customers as _
    );
    know.execute(connection).await?;
    Ok(())
}

/// Deletes what can be personal data about these orders.
async fn redact(connection: &mut PgConnection, orders: &[Uuid]) -> Result<(), PgError> {
    let redact = sqlx::query!(
        "WITH forgotten AS (DELETE FROM orders WHERE order_id = ANY ($1))
         UPDATE notifications SET reason = NULL
         WHERE order_id = ANY ($1) AND channel = 'email' AND reason IS NOT NULL",
        orders
    );
    redact.execute(connection).await?;
    Ok(())
}

/// Inserts the notifications of the events that were not recorded yet. Returns how many events.
///
/// Each event has a row for the channel `log`: it shows whether the event is new. `recorded_at` is never
/// before the last time that housekeeping trusted. If the clock of Postgres is behind and is corrected
/// later, the notification must not look old then.
///
/// Ids are assigned in the order of the parameters. Rows are written in the order of their keys, so
/// that two consumers cannot deadlock. Customers and webhooks are locked against erasure and deletion, so
/// that no row is left after them.
///
/// While an earlier notification of the order waits for its next attempt, the new one is due together with
/// it. Otherwise each claim would have to skip all the new ones of a webhook whose calls fail. The end of a
/// lease is not waited for: the next one is due when the earlier one is settled. `OFFSET 0`: see `claim`.
async fn insert(
    connection: &mut PgConnection,
    notices: &[Notice],
    letters: bool,
) -> Result<u64, PgError> {
    if notices.is_empty() {
        return Ok(0);
    }
    let final_types: Vec<_> =
        EventType::ALL.into_iter().filter(|one| one.is_final()).map(EventType::as_str).collect();
    let customers = || notices.iter().map(|one| one.customer.as_ref());
    let record = sqlx::query_scalar!(
        r#"
        WITH given AS (
            SELECT nextval('notification_ids') AS id, ordered.*,
                   greatest(now(), (SELECT believed_at FROM housekeeping_clock)) AS recorded_at
            FROM (
                SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[],
                                     $6::text[], $7::boolean[], $8::boolean[], $9::text[], $10::text[])
                    WITH ORDINALITY
                    AS given (event_id, order_id, order_version, event_type, occurred_at, reason,
                              has_letter, is_final, customer_id, customer_name, place)
                ORDER BY place
            ) AS ordered
        ), fresh AS (
            INSERT INTO notifications (id, event_id, channel, destination, order_id, order_version,
                                       event_type, occurred_at, recorded_at)
            SELECT id, event_id, 'log', 'log', order_id, order_version, event_type, occurred_at, recorded_at
            FROM given ORDER BY event_id, id
            ON CONFLICT (event_id, channel, destination) DO NOTHING
            RETURNING id
        ), news AS (
            SELECT given.* FROM given JOIN fresh USING (id)
        ), customers AS (
            SELECT customer_id FROM customers
            WHERE erased_at IS NULL
              AND customer_id IN (SELECT customer_id FROM news
                                  UNION ALL SELECT customer_id FROM orders WHERE order_id = ANY ($2))
            ORDER BY customer_id FOR SHARE
        ), placed AS (
            SELECT DISTINCT ON (order_id) order_id, customer_id, customer_name
            FROM news JOIN customers USING (customer_id)
            ORDER BY order_id
        ), kept AS (
            INSERT INTO orders (order_id, customer_id, customer_name, ended_at)
            SELECT order_id, customer_id, customer_name,
                   -- An event that is applied late may come after the last one of its order.
                   (SELECT min(recorded_at)
                    FROM (SELECT recorded_at FROM news WHERE news.order_id = placed.order_id AND is_final
                          UNION ALL
                          SELECT recorded_at FROM notifications AS earlier
                          WHERE earlier.order_id = placed.order_id AND earlier.event_type = ANY ($12)) AS ends)
            FROM placed ORDER BY order_id
            ON CONFLICT DO NOTHING
        ), ended AS (
            UPDATE orders SET ended_at = news.recorded_at
            FROM news
            WHERE orders.order_id = news.order_id AND news.is_final AND orders.ended_at IS NULL
        ), known AS (
            SELECT order_id, customer_id FROM placed
            UNION SELECT order_id, customer_id FROM orders JOIN customers USING (customer_id)
                  WHERE order_id = ANY ($2)
        ), letters AS (
            SELECT news.*, 'email' AS channel, known.customer_id AS destination
            FROM news JOIN known USING (order_id)
            WHERE $11 AND news.has_letter
        ), calls AS (
            SELECT news.*, 'webhook' AS channel, webhooks.id::text AS destination
            FROM news JOIN webhooks ON disabled_at IS NULL AND news.event_type = ANY (webhooks.event_types)
            FOR KEY SHARE OF webhooks
        ), waiting AS (
            SELECT order_id, channel, destination, min(order_version) AS version, max(due_at) AS due_at
            FROM (SELECT * FROM notifications WHERE order_id = ANY ($2) OFFSET 0) AS same_order
            WHERE state = 'pending' AND lease IS NULL AND due_at > now() AND channel <> 'log'
            GROUP BY order_id, channel, destination
        ), told AS (
            INSERT INTO notifications (event_id, channel, destination, order_id, order_version,
                                       event_type, occurred_at, reason, recorded_at, due_at)
            SELECT event_id, channel, destination, order_id, order_version, event_type, occurred_at,
                   CASE channel WHEN 'email' THEN reason END, recorded_at,
                   greatest(now(), CASE WHEN waiting.version <= order_version THEN waiting.due_at END)
            FROM (SELECT * FROM letters UNION ALL SELECT * FROM calls) AS recipients
            LEFT JOIN waiting USING (order_id, channel, destination)
            ORDER BY event_id, channel, destination
        )
        SELECT count(*) AS "fresh!" FROM fresh"#,
        &notices.iter().map(|one| one.event_id.get()).collect::<Vec<_>>(),
        &notices.iter().map(|one| one.order_id.get()).collect::<Vec<_>>(),
        &notices.iter().map(|one| one.order_version.get()).collect::<Vec<_>>(),
        &notices.iter().map(|one| one.event_type.as_str()).collect::<Vec<_>>() as _,
        &notices.iter().map(|one| one.occurred_at.get()).collect::<Vec<_>>(),
        &notices.iter().map(|one| one.reason.as_deref()).collect::<Vec<_>>() as _,
        &notices.iter().map(|one| one.event_type.letter().is_some()).collect::<Vec<_>>(),
        &notices.iter().map(|one| one.event_type.is_final()).collect::<Vec<_>>(),
        &customers().map(|one| one.map(|one| one.id.as_str())).collect::<Vec<_>>() as _,
        &customers().map(|one| one.map(|one| storable(&one.name))).collect::<Vec<_>>() as _,
        letters,
        &final_types as _
    );
    Ok(record.fetch_one(connection).await?.unsigned_abs())
}
