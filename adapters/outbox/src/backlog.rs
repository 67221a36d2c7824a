use std::time::Duration;

use application::StoreError;
use application::relay::{Backlog, MeasureBacklog};

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// Measures the backlog of an outbox in Postgres.
#[derive(Debug, Clone)]
pub struct PgBacklog {
    database: Database,
}

#[derive(Debug)]
struct Row {
    behind_cursors: i64,
    oldest: f64,
    in_gaps: i64,
    late: i64,
    failed: i64,
    held: i64,
    dead: i64,
}

impl PgBacklog {
    /// The backlog of the outbox in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }
}

impl MeasureBacklog for PgBacklog {
    /// Reads only the first unprocessed row and the last row of each lane, so the cost does not depend
    /// on the size of the outbox. Gaps are counted row by row: they are few and rarely have rows.
    async fn measure(&self) -> Result<Backlog, StoreError> {
        let measure = sqlx::query_as!(
            Row,
            r#"
            SELECT (SELECT coalesce(sum(greatest(last.position - l.through, 0)), 0)::bigint
                    FROM outbox_lanes AS l
                    CROSS JOIN LATERAL (SELECT o.position FROM outbox AS o WHERE o.lane = l.lane
                                        ORDER BY o.position DESC LIMIT 1) AS last) AS "behind_cursors!",
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
                         ) AS waiting) AS "oldest!",
                   (SELECT coalesce(sum(arrived.rows), 0)::bigint
                    FROM outbox_gaps AS g
                    CROSS JOIN LATERAL (SELECT count(*) AS rows FROM outbox AS o
                                        WHERE o.lane = g.lane
                                          AND o.position BETWEEN g.first_position AND g.last_position) AS arrived
                   ) AS "in_gaps!",
                   (SELECT count(*) FROM outbox_stragglers WHERE reason = 'late')
                       + (SELECT coalesce(sum(last_position - first_position + 1), 0)::bigint
                          FROM outbox_gaps) AS "late!",
                   (SELECT count(*) FROM outbox_stragglers WHERE reason = 'failed') AS "failed!",
                   (SELECT count(*) FROM outbox_stragglers WHERE reason = 'held') AS "held!",
                   (SELECT count(*) FROM outbox_dead_letters WHERE discarded_at IS NULL) AS "dead!""#
        );
        let row = in_time(measure.fetch_one(self.database.pool())).await.map_err(PgError::from)?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(Backlog {
            unprocessed: count(row.behind_cursors + row.in_gaps + row.failed + row.held),
            oldest: Duration::try_from_secs_f64(row.oldest).unwrap_or_default(),
            late: count(row.late),
            failed: count(row.failed),
            held: count(row.held),
            dead: count(row.dead),
        })
    }
}
