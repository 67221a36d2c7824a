//! Makes the retained events of some aggregates due again.

use std::collections::BTreeMap;
use std::time::Duration;

use application::reconcile::{OrderRange, Republished};
use chrono::{DateTime, Days, NaiveDate};
use domain::{OrderId, Timestamp};
use sqlx::types::Uuid;
use sqlx::{PgConnection, PgPool};

use adapter_postgres::PgError;
use adapter_postgres::ledger::uuids;
use adapter_postgres::timeouts::{in_time, within};

use crate::days;

/// Reading a day of the outbox may take longer than the default timeout of statements.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '5min'";

/// Maximum time to find the events.
const READING: Duration = Duration::from_mins(5);

/// The place of an event in the outbox.
#[derive(Debug)]
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
        let due = in_time(make_due(pool, lane, &positions, &orders)).await?;
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
    let mut days = days::with_partition(&mut *transaction).await?;
    days.retain(|day| *day >= since.date_naive());
    let without_day = sqlx::query_as!(
        Place,
        "SELECT lane, position, order_id FROM outbox_default WHERE order_id = ANY ($1)",
        &orders[..]
    );
    let mut places = without_day.fetch_all(&mut *transaction).await?;
    for day in days {
        places.extend(find_in_day(&mut transaction, &orders, day).await?);
    }
    Ok(places)
}

/// The events of these aggregates in the partition of a day.
///
/// The outbox has no index on aggregates, because it would slow down every save. So the whole day
/// is read.
async fn find_in_day(
    session: &mut PgConnection,
    aggregates: &[Uuid],
    day: NaiveDate,
) -> Result<Vec<Place>, PgError> {
    let places = sqlx::query_as!(
        Place,
        "
        SELECT lane, position, order_id FROM outbox
        WHERE order_id = ANY ($1)
          AND recorded_at >= $2::date::timestamp AT TIME ZONE 'UTC'
          AND recorded_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'",
        aggregates,
        day
    );
    Ok(places.fetch_all(session).await?)
}

/// Records published events as held stragglers, which are due at once.
///
/// Events above the cursor and events in a gap are due anyway. Dead letters are left out. Returns
/// the number of due events of each aggregate.
async fn make_due(
    pool: &PgPool,
    lane: i16,
    positions: &[i64],
    orders: &[Uuid],
) -> Result<Vec<(Uuid, i64)>, PgError> {
    let mut transaction = pool.begin().await?;
    // The cursor and the stragglers of a lane may be changed only while the lane is locked.
    sqlx::query!("SELECT FROM outbox_lanes WHERE lane = $1 FOR UPDATE", lane)
        .execute(&mut *transaction)
        .await?;
    let due = sqlx::query!(
        r#"
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
        SELECT order_id AS "order_id!", count(*) AS "events!" FROM due GROUP BY order_id"#,
        lane,
        positions,
        orders
    );
    let due = due.map(|due| (due.order_id, due.events)).fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(due)
}
