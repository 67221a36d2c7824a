//! The second step of an adoption: events that may be unpublished get new positions.
//!
//! No macros of sqlx: the statements use temporary tables, which do not exist when the macros check
//! them.

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection};

use adapter_postgres::PgError;

use crate::ContextOutbox;

/// The aggregates whose events are appended again, and the version of the first such event.
///
/// These are the events at or below a cursor that were recorded since `$1`, and the events that
/// share a position: a cursor that has passed one of them has passed the other, too. It is unknown
/// whether they were published. Later events of the aggregates have to follow them, so they are
/// appended again as well.
const MAYBE_UNPUBLISHED: &str = "
SELECT order_id, min(order_version) AS version
FROM (
    SELECT o.order_id, o.order_version
    FROM outbox AS o JOIN outbox_lanes AS l USING (lane)
    WHERE o.position <= l.through AND o.recorded_at >= coalesce($1, '-infinity'::timestamptz)
    UNION ALL
    SELECT o.order_id, o.order_version
    FROM outbox AS o
    JOIN (SELECT lane, position FROM outbox
          GROUP BY lane, position HAVING count(*) > 1) AS duplicate USING (lane, position)
) AS event
GROUP BY order_id";

/// Locks all lanes, so that no relay works on any lane.
const LOCK_LANES: &str = "
INSERT INTO outbox_lanes (lane) SELECT generate_series(0, 15) ON CONFLICT DO NOTHING;
SELECT FROM outbox_lanes ORDER BY lane FOR UPDATE";

/// Temporary tables: the aggregates to append again, and the old and new position of each event.
const TABLES: &str = "
CREATE TEMPORARY TABLE outbox_maybe_unpublished (order_id uuid PRIMARY KEY, version bigint NOT NULL)
    ON COMMIT DROP;
CREATE TEMPORARY TABLE outbox_reappended (
    lane smallint, old bigint, recorded_at timestamptz, event_id uuid, order_id uuid, new bigint
) ON COMMIT DROP";

/// Takes a new position for each event. Its snapshot is newer than the locks on the aggregates, so
/// it sees all their events.
const TAKE_POSITIONS: &str = "
INSERT INTO outbox_reappended (lane, old, recorded_at, event_id, order_id, new)
SELECT lane, position, recorded_at, event_id, order_id,
       nextval(('outbox_lane_' || lane)::regclass)
FROM (SELECT o.lane, o.position, o.recorded_at, o.event_id, o.order_id
      FROM outbox AS o JOIN outbox_maybe_unpublished AS b
        ON b.order_id = o.order_id AND o.order_version >= b.version
      ORDER BY o.order_version, o.recorded_at) AS event";

/// Moves the events to their new positions. Dead letters move with their events and stay dead.
/// Stragglers at the old positions are deleted.
const MOVE: &str = "
UPDATE outbox AS o SET position = a.new FROM outbox_reappended AS a
WHERE o.lane = a.lane AND o.position = a.old AND o.recorded_at = a.recorded_at;
UPDATE outbox_dead_letters AS d SET position = a.new FROM outbox_reappended AS a
WHERE d.event_id = a.event_id;
DELETE FROM outbox_stragglers AS s USING outbox_reappended AS a
WHERE s.lane = a.lane AND s.position = a.old";

/// The number of events that are appended again, and of their aggregates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Reappended {
    pub(super) events: i64,
    pub(super) aggregates: i64,
}

impl Reappended {
    /// Counts the events that would be appended again, and changes nothing.
    pub(super) async fn count(
        session: &mut PgConnection,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, PgError> {
        let query = format!(
            "SELECT count(*) AS events, count(DISTINCT o.order_id) AS aggregates
             FROM outbox AS o JOIN ({MAYBE_UNPUBLISHED}) AS b
               ON b.order_id = o.order_id AND o.order_version >= b.version"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(since).fetch_one(session).await?)
    }

    /// Appends the events again in this transaction. It holds all lanes locked until it ends.
    pub(super) async fn append(
        session: &mut PgConnection,
        ContextOutbox { aggregates, key, .. }: &ContextOutbox,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, PgError> {
        // Like a writer, this locks the aggregates before it takes positions. Otherwise a new event
        // could get a lower position than the earlier events of its aggregate.
        let lock_aggregates = format!(
            "SELECT FROM {aggregates} WHERE {key} IN (SELECT order_id FROM outbox_maybe_unpublished)
             ORDER BY {key} FOR NO KEY UPDATE"
        );
        session.execute(LOCK_LANES).await?;
        session.execute(TABLES).await?;
        let find = format!("INSERT INTO outbox_maybe_unpublished {MAYBE_UNPUBLISHED}");
        sqlx::query(sqlx::AssertSqlSafe(find)).bind(since).execute(&mut *session).await?;
        session.execute(sqlx::AssertSqlSafe(lock_aggregates)).await?;
        session.execute(TAKE_POSITIONS).await?;
        session.execute(MOVE).await?;
        let count = "SELECT count(*) AS events, count(DISTINCT order_id) AS aggregates
                     FROM outbox_reappended";
        Ok(sqlx::query_as(count).fetch_one(session).await?)
    }
}
