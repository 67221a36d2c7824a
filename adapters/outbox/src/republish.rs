//! Makes the events of some orders due again, as long as the outbox has them.

use std::collections::BTreeMap;
use std::time::Duration;

use application::reconcile::{OrderRange, Republished};
use chrono::{DateTime, Days, NaiveDate};
use domain::{OrderId, Timestamp};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgPool};

use adapter_postgres::PgError;
use adapter_postgres::ledger::uuids;
use adapter_postgres::timeouts::{in_time, within};

/// Reading a day of the outbox may take longer than a request may.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5min'";

/// How long that may take.
const READING: Duration = Duration::from_mins(5);

/// The days that have a partition, from this moment on.
const DAYS: &str = "
SELECT day FROM (
    SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
) AS days
WHERE day >= ($1 AT TIME ZONE 'UTC')::date
ORDER BY day";

/// The retained events of these orders that were recorded on a day. The outbox has no index by order,
/// which every save would pay for, so the day is read as a whole.
const OF_DAY: &str = "
SELECT lane, position, order_id FROM outbox
WHERE order_id = ANY ($1)
  AND recorded_at >= $2::timestamp AT TIME ZONE 'UTC'
  AND recorded_at < ($2 + 1)::timestamp AT TIME ZONE 'UTC'";

/// Those of days that have no partition.
const OF_OTHER_DAYS: &str =
    "SELECT lane, position, order_id FROM outbox_default WHERE order_id = ANY ($1)";

/// What lies behind the cursor, or has come in a gap, is due anyway. Gives the orders, once for each event that is due.
const NOTE: &str = "
WITH due AS (
    SELECT position, order_id FROM unnest($2::bigint[], $3::uuid[]) AS found (position, order_id)
    WHERE NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                      WHERE d.lane = $1 AND d.position = found.position)
), noted AS (
    INSERT INTO outbox_stragglers (lane, position, reason, order_id)
    SELECT l.lane, due.position, 'held', due.order_id
    FROM due JOIN outbox_lanes AS l ON l.lane = $1 AND due.position <= l.through
    WHERE NOT EXISTS (SELECT FROM outbox_gaps AS g
                      WHERE g.lane = $1
                        AND due.position BETWEEN g.first_position AND g.last_position)
    ON CONFLICT (lane, position) DO NOTHING
)
SELECT order_id, count(*) FROM due GROUP BY order_id";

#[derive(Debug, FromRow)]
struct Place {
    lane: i16,
    position: i64,
    order_id: Uuid,
}

/// Notes all retained events of these orders as exceptions that are due, those of one lane at once, so
/// that relays publish each order's events in their order.
///
/// # Errors
/// When the database fails.
pub async fn republish(pool: &PgPool, orders: &[OrderId]) -> Result<Vec<Republished>, PgError> {
    let Some(first) = orders.iter().min() else { return Ok(Vec::new()) };
    let mut lanes: BTreeMap<i16, (Vec<i64>, Vec<Uuid>)> = BTreeMap::new();
    for Place { lane, position, order_id } in within(READING, find(pool, *first, orders)).await? {
        let (positions, orders) = lanes.entry(lane).or_default();
        positions.push(position);
        orders.push(order_id);
    }
    let mut republished = Vec::with_capacity(orders.len());
    for (lane, (positions, orders)) in lanes {
        let due = in_time(note(pool, lane, positions, orders)).await?;
        republished.extend(
            due.into_iter()
                .map(|(order, events)| Republished { order_id: OrderId::new(order), events }),
        );
    }
    Ok(republished)
}

/// Finds the events, none of which was recorded before the first order was placed. Clocks may differ
/// by a day.
async fn find(pool: &PgPool, first: OrderId, orders: &[OrderId]) -> Result<Vec<Place>, PgError> {
    let placed = OrderRange::placed_at(first).map_or(DateTime::UNIX_EPOCH, Timestamp::get);
    let since = placed.checked_sub_days(Days::new(1)).unwrap_or(placed);
    let orders = uuids(orders);
    let mut transaction = pool.begin_with(BEGIN).await?;
    let days: Vec<NaiveDate> =
        sqlx::query_scalar(DAYS).bind(since).fetch_all(&mut *transaction).await?;
    let mut places: Vec<Place> =
        sqlx::query_as(OF_OTHER_DAYS).bind(&orders).fetch_all(&mut *transaction).await?;
    for day in days {
        let of_day = sqlx::query_as(OF_DAY).bind(&orders).bind(day);
        places.extend::<Vec<Place>>(of_day.fetch_all(&mut *transaction).await?);
    }
    Ok(places)
}

async fn note(
    pool: &PgPool,
    lane: i16,
    positions: Vec<i64>,
    orders: Vec<Uuid>,
) -> Result<Vec<(Uuid, i64)>, PgError> {
    let mut transaction = pool.begin().await?;
    // Only who holds the lane may change what its cursor and its stragglers say.
    sqlx::query("SELECT FROM outbox_lanes WHERE lane = $1 FOR UPDATE")
        .bind(lane)
        .execute(&mut *transaction)
        .await?;
    let due = sqlx::query_as(NOTE)
        .bind(lane)
        .bind(positions)
        .bind(orders)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(due)
}
