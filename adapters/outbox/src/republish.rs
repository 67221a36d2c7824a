//! Makes the retained events of some aggregates due again.

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

/// Reading a day of the outbox may take longer than the default timeout of statements.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5min'";

/// Maximum time to find the events.
const READING: Duration = Duration::from_mins(5);

/// The days that have a partition, from the day of `$1`.
const DAYS: &str = "
SELECT day FROM (
    SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
) AS days
WHERE day >= ($1 AT TIME ZONE 'UTC')::date
ORDER BY day";

/// The events of these aggregates in the partition of a day.
///
/// The outbox has no index on aggregates, because it would slow down every save. So the whole day
/// is read.
const OF_DAY: &str = "
SELECT lane, position, order_id FROM outbox
WHERE order_id = ANY ($1)
  AND recorded_at >= $2::timestamp AT TIME ZONE 'UTC'
  AND recorded_at < ($2 + 1)::timestamp AT TIME ZONE 'UTC'";

/// The events of these aggregates that were recorded on days without a partition.
const OF_OTHER_DAYS: &str =
    "SELECT lane, position, order_id FROM outbox_default WHERE order_id = ANY ($1)";

/// Records published events as held stragglers, which are due at once.
///
/// Events above the cursor and events in a gap are due anyway. Dead letters are left out. Returns
/// the number of due events of each aggregate.
const MAKE_DUE: &str = "
WITH due AS (
    SELECT position, order_id FROM unnest($2::bigint[], $3::uuid[]) AS found (position, order_id)
    WHERE NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                      WHERE d.lane = $1 AND d.position = found.position)
), recorded AS (
    INSERT INTO outbox_stragglers (lane, position, reason, order_id)
    SELECT l.lane, due.position, 'held', due.order_id
    FROM due JOIN outbox_lanes AS l ON l.lane = $1 AND due.position <= l.through
    WHERE NOT EXISTS (SELECT FROM outbox_gaps AS g
                      WHERE g.lane = $1
                        AND due.position BETWEEN g.first_position AND g.last_position)
    ON CONFLICT (lane, position) DO NOTHING
)
SELECT order_id, count(*) FROM due GROUP BY order_id";

/// The place of an event in the outbox.
#[derive(Debug, FromRow)]
struct Place {
    lane: i16,
    position: i64,
    order_id: Uuid,
}

/// Makes all retained events of these orders due again.
///
/// They are recorded as stragglers, all events of a lane in one transaction. So relays publish the
/// events of each order in the sequence of their versions.
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
        let due = in_time(make_due(pool, lane, positions, orders)).await?;
        republished.extend(
            due.into_iter()
                .map(|(order, events)| Republished { order_id: OrderId::new(order), events }),
        );
    }
    Ok(republished)
}

/// Finds the events. It skips the days before the first order was placed, minus one day because
/// clocks may differ.
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

async fn make_due(
    pool: &PgPool,
    lane: i16,
    positions: Vec<i64>,
    orders: Vec<Uuid>,
) -> Result<Vec<(Uuid, i64)>, PgError> {
    let mut transaction = pool.begin().await?;
    // The cursor and the stragglers of a lane may be changed only while the lane is locked.
    sqlx::query("SELECT FROM outbox_lanes WHERE lane = $1 FOR UPDATE")
        .bind(lane)
        .execute(&mut *transaction)
        .await?;
    let due = sqlx::query_as(MAKE_DUE)
        .bind(lane)
        .bind(positions)
        .bind(orders)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(due)
}
