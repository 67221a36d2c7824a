//! Where there is something to do, found at little cost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::Instant;

use adapter_postgres::PgError;

/// The lanes that have something to do, and their cursors. Nothing is locked. Rows that were recorded
/// more than `$1` hours from now, either way, are not looked for, so that their partitions are left
/// out. What is to be tried again later than the longest wait allows, with a minute to spare, was noted
/// by a clock that was ahead: it is due.
const LOOK: &str = "
SELECT l.lane, l.through
FROM outbox_lanes AS l
WHERE EXISTS (
        SELECT FROM outbox AS o
        WHERE o.lane = l.lane AND o.position > l.through
          AND o.recorded_at > now() - make_interval(hours => $1)
          AND o.recorded_at < now() + make_interval(hours => $1))
    OR EXISTS (
        SELECT FROM outbox_stragglers AS s
        WHERE s.lane = l.lane AND s.reason <> 'late'
          AND (s.retry_at <= now() OR s.retry_at > now() + interval '6 minutes')
          AND NOT EXISTS (
              SELECT FROM outbox_stragglers AS earlier
              WHERE earlier.lane = s.lane AND earlier.order_id = s.order_id
                AND earlier.position < s.position
                AND earlier.retry_at > now()
                AND earlier.retry_at <= now() + interval '6 minutes'))
    OR EXISTS (
        SELECT FROM outbox_stragglers AS s
        WHERE s.lane = l.lane AND s.reason = 'late'
          AND (s.horizon IS NULL
               OR s.horizon <= pg_snapshot_xmin(pg_current_snapshot())
               OR s.horizon > pg_snapshot_xmax(pg_current_snapshot())
               OR EXISTS (
                   SELECT FROM outbox AS o
                   WHERE o.lane = s.lane AND o.position = s.position
                     AND o.recorded_at > now() - make_interval(hours => $1)
                     AND o.recorded_at < now() + make_interval(hours => $1))))
    OR EXISTS (
        SELECT FROM outbox_gaps AS g
        WHERE g.lane = l.lane
          AND (g.horizon IS NULL
               OR g.horizon <= pg_snapshot_xmin(pg_current_snapshot())
               OR g.horizon > pg_snapshot_xmax(pg_current_snapshot())
               OR EXISTS (
                   SELECT FROM outbox AS o
                   WHERE o.lane = g.lane AND o.position BETWEEN g.first_position AND g.last_position
                     AND o.recorded_at > now() - make_interval(hours => $1)
                     AND o.recorded_at < now() + make_interval(hours => $1))))";

/// How far from now most looks go: nearly all that is to be published was recorded a moment ago.
const NEAR_HOURS: i32 = 6;

/// How far the others go, which is everywhere.
const FAR_HOURS: i32 = 1000 * 366 * 24;

/// How often a look goes everywhere, at the least.
const FAR_EVERY: Duration = Duration::from_millis(400);

/// Lanes to try, and where the cursor of each was.
pub(super) type Lanes = Vec<(i16, i64)>;

/// Finds what there is to do, at little cost: a relay asks in vain far more often than it finds, and
/// the price of a look is the number of day partitions it goes into.
///
/// So most looks go only into those of the hours around now. Every now and then, and as long as it
/// pays, one goes everywhere: what waited through a long outage, or was recorded by a clock gone
/// wrong, is found as well.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookout(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When to go everywhere again, whatever is found nearby.
    far_due: Option<Instant>,
    /// Whether the last look that went everywhere found lanes that one nearby did not.
    far_pays: bool,
}

impl Lookout {
    /// The lanes that have something to do.
    pub(super) async fn look(&self, pool: &PgPool) -> Result<Lanes, PgError> {
        let near = look(pool, NEAR_HOURS).await?;
        if !self.far_is_due() && !self.with(|state| state.far_pays) {
            return Ok(near);
        }
        let lanes = look(pool, FAR_HOURS).await?;
        let only_far = |(lane, _): &(i16, i64)| near.iter().all(|(other, _)| other != lane);
        self.with(|state| state.far_pays = lanes.iter().any(only_far));
        Ok(lanes)
    }

    fn far_is_due(&self) -> bool {
        let now = Instant::now();
        self.with(|state| {
            let due = state.far_due.is_none_or(|due| due <= now);
            if due {
                state.far_due = Some(now + FAR_EVERY);
            }
            due
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn look(pool: &PgPool, hours: i32) -> Result<Lanes, PgError> {
    Ok(sqlx::query_as(LOOK).bind(hours).fetch_all(pool).await?)
}
