//! The second step: events that may be unpublished are appended again.

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection};

use adapter_postgres::PgError;

/// The orders whose events are to be appended again, and from which version on.
///
/// These are the events that a cursor has passed although they were recorded since `$1`, and those
/// that share a position, since a cursor that has passed one of them has passed the other. Whether
/// they were published nobody can tell. The later events of their orders follow them.
const BEHIND: &str = "
SELECT order_id, min(order_version) AS version
FROM (
    SELECT o.order_id, o.order_version
    FROM outbox AS o JOIN outbox_lanes AS l USING (lane)
    WHERE o.position <= l.through AND o.recorded_at >= coalesce($1, '-infinity'::timestamptz)
    UNION ALL
    SELECT o.order_id, o.order_version
    FROM outbox AS o
    JOIN (SELECT lane, position FROM outbox
          GROUP BY lane, position HAVING count(*) > 1) AS twice USING (lane, position)
) AS event
GROUP BY order_id";

/// No relay works on any lane from here on.
const LOCK_LANES: &str = "
INSERT INTO outbox_lanes (lane) SELECT generate_series(0, 15) ON CONFLICT DO NOTHING;
SELECT FROM outbox_lanes ORDER BY lane FOR UPDATE";

const TABLES: &str = "
CREATE TEMPORARY TABLE outbox_behind (order_id uuid PRIMARY KEY, version bigint NOT NULL)
    ON COMMIT DROP;
CREATE TEMPORARY TABLE outbox_again (
    lane smallint, old bigint, recorded_at timestamptz, event_id uuid, order_id uuid, new bigint
) ON COMMIT DROP";

/// Sees what was written before the orders were locked, since each statement has its own snapshot.
const TAKE_POSITIONS: &str = "
INSERT INTO outbox_again (lane, old, recorded_at, event_id, order_id, new)
SELECT lane, position, recorded_at, event_id, order_id,
       nextval(('outbox_lane_' || lane)::regclass)
FROM (SELECT o.lane, o.position, o.recorded_at, o.event_id, o.order_id
      FROM outbox AS o JOIN outbox_behind AS b
        ON b.order_id = o.order_id AND o.order_version >= b.version
      ORDER BY o.order_version, o.recorded_at) AS event";

/// Dead letters move with their events, and stay dead. What was noted of the old positions is void.
const MOVE: &str = "
UPDATE outbox AS o SET position = a.new FROM outbox_again AS a
WHERE o.lane = a.lane AND o.position = a.old AND o.recorded_at = a.recorded_at;
UPDATE outbox_dead_letters AS d SET position = a.new FROM outbox_again AS a
WHERE d.event_id = a.event_id;
DELETE FROM outbox_stragglers AS s USING outbox_again AS a
WHERE s.lane = a.lane AND s.position = a.old";

/// How much is appended again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Again {
    pub(super) events: i64,
    pub(super) orders: i64,
}

impl Again {
    /// Counts what would be appended again, and changes nothing.
    pub(super) async fn count(
        session: &mut PgConnection,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, PgError> {
        let query = format!(
            "SELECT count(*) AS events, count(DISTINCT o.order_id) AS orders
             FROM outbox AS o JOIN ({BEHIND}) AS b
               ON b.order_id = o.order_id AND o.order_version >= b.version"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(since).fetch_one(session).await?)
    }

    /// Appends in this transaction, which holds all lanes from here on.
    pub(super) async fn append(
        session: &mut PgConnection,
        aggregates: &str,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, PgError> {
        // A writer locks the aggregate before it takes a position. So does this, or an event that is
        // written meanwhile could get a position before the earlier events of its aggregate.
        let lock_aggregates = format!(
            "SELECT FROM {aggregates} WHERE id IN (SELECT order_id FROM outbox_behind)
             ORDER BY id FOR NO KEY UPDATE"
        );
        session.execute(LOCK_LANES).await?;
        session.execute(TABLES).await?;
        let find = format!("INSERT INTO outbox_behind {BEHIND}");
        sqlx::query(sqlx::AssertSqlSafe(find)).bind(since).execute(&mut *session).await?;
        session.execute(sqlx::AssertSqlSafe(lock_aggregates)).await?;
        session.execute(TAKE_POSITIONS).await?;
        session.execute(MOVE).await?;
        let count = "SELECT count(*) AS events, count(DISTINCT order_id) AS orders
                     FROM outbox_again";
        Ok(sqlx::query_as(count).fetch_one(session).await?)
    }
}
