use std::time::Duration;

use application::StoreError;
use sqlx::FromRow;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// What the outbox still holds to be published: the figures an operator watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events not yet published. Positions of transactions that are in flight or rolled back count
    /// until a relay has come by.
    pub unprocessed: u64,
    /// For how long the oldest of them has been waiting.
    pub oldest: Duration,
    /// Positions of transactions that had not ended when the cursor passed them.
    pub late: u64,
    /// Events whose publication failed, to be tried again.
    pub failed: u64,
    /// Events that wait, mostly behind a failed one of their order.
    pub held: u64,
    /// Events that Kafka refused, for an operator to decide about.
    pub dead: u64,
}

/// Asks each lane for its ends only, so that it costs the same whatever the outbox holds. Gaps are few,
/// and hardly ever have rows.
const MEASURE: &str = "
SELECT (SELECT coalesce(sum(greatest(last.position - l.through, 0)), 0)::bigint
        FROM outbox_lanes AS l
        CROSS JOIN LATERAL (SELECT o.position FROM outbox AS o WHERE o.lane = l.lane
                            ORDER BY o.position DESC LIMIT 1) AS last) AS behind_cursors,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8
        FROM (SELECT next.recorded_at
              FROM outbox_lanes AS l
              CROSS JOIN LATERAL (SELECT o.recorded_at FROM outbox AS o
                                  WHERE o.lane = l.lane AND o.position > l.through
                                  ORDER BY o.position LIMIT 1) AS next
              UNION ALL
              SELECT o.recorded_at
              FROM outbox_stragglers JOIN outbox AS o USING (lane, position)
              UNION ALL
              SELECT next.recorded_at
              FROM outbox_gaps AS g
              CROSS JOIN LATERAL (SELECT o.recorded_at FROM outbox AS o
                                  WHERE o.lane = g.lane
                                    AND o.position BETWEEN g.first_position AND g.last_position
                                  ORDER BY o.position LIMIT 1) AS next
             ) AS waiting) AS oldest,
       (SELECT coalesce(sum(arrived.rows), 0)::bigint
        FROM outbox_gaps AS g
        CROSS JOIN LATERAL (SELECT count(*) AS rows FROM outbox AS o
                            WHERE o.lane = g.lane
                              AND o.position BETWEEN g.first_position AND g.last_position) AS arrived
       ) AS in_gaps,
       (SELECT count(*) FROM outbox_stragglers WHERE reason = 'late')
           + (SELECT coalesce(sum(last_position - first_position + 1), 0)::bigint
              FROM outbox_gaps) AS late,
       (SELECT count(*) FROM outbox_stragglers WHERE reason = 'failed') AS failed,
       (SELECT count(*) FROM outbox_stragglers WHERE reason = 'held') AS held,
       (SELECT count(*) FROM outbox_dead_letters WHERE discarded_at IS NULL) AS dead";

#[derive(Debug, FromRow)]
struct Row {
    behind_cursors: i64,
    oldest: f64,
    in_gaps: i64,
    late: i64,
    failed: i64,
    held: i64,
    dead: i64,
}

impl Backlog {
    /// Measures the outbox in this database.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn measure(database: &Database) -> Result<Self, StoreError> {
        let measure = sqlx::query_as(MEASURE).fetch_one(database.pool());
        let row: Row = in_time(measure).await.map_err(PgError::from)?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(Self {
            unprocessed: count(row.behind_cursors + row.in_gaps + row.failed + row.held),
            oldest: Duration::try_from_secs_f64(row.oldest).unwrap_or_default(),
            late: count(row.late),
            failed: count(row.failed),
            held: count(row.held),
            dead: count(row.dead),
        })
    }

    /// Whether all is published but what waits for its own sake, not for that of Kafka.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.unprocessed <= self.failed + self.held
    }
}
