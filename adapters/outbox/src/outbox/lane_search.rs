//! Finds the lanes that have work, at low cost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use adapter_postgres::PgError;

/// `hours` of most searches: nearly all events to publish were recorded recently.
const RECENT_HOURS: i32 = 6;

/// `hours` of a full search: all partitions.
const ALL_HOURS: i32 = 1000 * 366 * 24;

/// Maximum time between two full searches.
const FULL_SEARCH_EVERY: Duration = Duration::from_millis(400);

/// Lanes to try, with the cursor of each when it was found.
pub(super) type Lanes = Vec<(i16, i64)>;

/// Finds the lanes that have work, at low cost.
///
/// Most searches find nothing, and the cost of a search is the number of partitions that it reads.
/// So most searches read only the partitions around the current hour. A full search runs every
/// [`FULL_SEARCH_EVERY`], and as long as full searches find more lanes. It finds events that waited
/// during a long outage, and events that were recorded by a wrong clock.
#[derive(Debug, Clone, Default)]
pub(super) struct LaneSearch(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When the next full search is due, whatever the recent partitions contain.
    full_search_due: Option<Instant>,
    /// Whether the last full search found lanes that the search of recent partitions did not find.
    full_search_found_more: bool,
}

impl LaneSearch {
    /// The lanes that have work.
    pub(super) async fn find(&self, session: &mut PgConnection) -> Result<Lanes, PgError> {
        let recent = find_lanes(session, RECENT_HOURS).await?;
        if !self.full_search_is_due() && !self.with(|state| state.full_search_found_more) {
            return Ok(recent);
        }
        let lanes = find_lanes(session, ALL_HOURS).await?;
        let not_recent = |(lane, _): &(i16, i64)| recent.iter().all(|(other, _)| other != lane);
        self.with(|state| state.full_search_found_more = lanes.iter().any(not_recent));
        Ok(lanes)
    }

    fn full_search_is_due(&self) -> bool {
        let now = Instant::now();
        self.with(|state| {
            let due = state.full_search_due.is_none_or(|due| due <= now);
            if due {
                state.full_search_due = Some(now + FULL_SEARCH_EVERY);
            }
            due
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The lanes that have work, with their cursors. Locks nothing.
///
/// The statement looks only at rows that were recorded at most `hours` hours before or after now, so
/// that Postgres skips the partitions of other days. A retry that is due in more than 6 minutes
/// (the longest delay plus one minute) was stored while the clock was ahead: it counts as due now.
async fn find_lanes(session: &mut PgConnection, hours: i32) -> Result<Lanes, PgError> {
    let lanes = sqlx::query!(
        "
        SELECT l.lane, l.through
        FROM outbox_lanes AS l
        WHERE
            -- Rows above the cursor.
            EXISTS (
                SELECT FROM outbox AS o
                WHERE o.lane = l.lane AND o.position > l.through
                  AND o.recorded_at > now() - make_interval(hours => $1)
                  AND o.recorded_at < now() + make_interval(hours => $1))
            -- Failed or held stragglers that are due and do not wait for an earlier one of their aggregate.
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
            -- Late stragglers that need a horizon, can be dropped, or have a row now.
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
            -- The same for wide gaps.
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
                             AND o.recorded_at < now() + make_interval(hours => $1))))",
        hours
    );
    Ok(lanes.map(|lane| (lane.lane, lane.through)).fetch_all(session).await?)
}
