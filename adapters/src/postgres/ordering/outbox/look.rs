use sqlx::{PgPool, Postgres, Transaction};

use crate::postgres::PgError;

/// The lanes that have something to do, and those of whose late positions a row may have come
/// (`unsure`). It looks at where each lane's sequence stands instead of at the log, so that asking in
/// vain, which happens far more often than finding, costs little. Nothing escapes it: a row behind
/// the cursor took its position from the sequence before it was visible.
const LOOK: &str = "
SELECT l.lane, NOT (behind.cursor OR due.failed OR due.late) AS unsure
FROM ordering.outbox_lanes AS l
CROSS JOIN LATERAL (
    SELECT coalesce(pg_sequence_last_value(('ordering.outbox_lane_' || l.lane)::regclass)
                    > l.through, false) AS cursor
) AS behind
CROSS JOIN LATERAL (
    SELECT EXISTS (
               SELECT FROM ordering.outbox_stragglers AS s
               WHERE s.lane = l.lane AND s.reason <> 'late' AND s.retry_at <= now()
                 AND NOT EXISTS (
                     SELECT FROM ordering.outbox_stragglers AS earlier
                     WHERE earlier.lane = s.lane AND earlier.order_id = s.order_id
                       AND earlier.position < s.position AND earlier.retry_at > now())
           ) AS failed,
           EXISTS (
               SELECT FROM ordering.outbox_stragglers AS s
               WHERE s.lane = l.lane AND s.reason = 'late'
                 AND (s.horizon IS NULL
                      OR s.horizon <= pg_snapshot_xmin(pg_current_snapshot())
                      OR s.horizon > pg_snapshot_xmax(pg_current_snapshot()))
           ) AS late
) AS due
WHERE behind.cursor OR due.failed OR due.late
   OR EXISTS (SELECT FROM ordering.outbox_stragglers AS s
              WHERE s.lane = l.lane AND s.reason = 'late')";

/// Those of the lanes for whose late positions a row has come.
const LOOK_INTO_LOG: &str = "
SELECT DISTINCT s.lane
FROM ordering.outbox_stragglers AS s JOIN ordering.outbox AS o USING (lane, position)
WHERE s.lane = ANY ($1) AND s.reason = 'late'";

/// The lanes worth an attempt to lock them.
#[derive(Debug)]
pub(super) struct Look {
    /// Those that have something to do.
    pub(super) lanes: Vec<i16>,
    /// Those that only the log itself can tell of.
    pub(super) unsure: Vec<i16>,
}

impl Look {
    /// Looks at all lanes.
    pub(super) async fn around(pool: &PgPool) -> Result<Self, PgError> {
        let found: Vec<(i16, bool)> = sqlx::query_as(LOOK).fetch_all(pool).await?;
        let of = |kind| {
            let lanes = found.iter().filter(move |(_, unsure)| *unsure == kind);
            lanes.map(|(lane, _)| *lane).collect()
        };
        Ok(Self { lanes: of(false), unsure: of(true) })
    }

    /// Asks the log about the lanes that are unsure.
    pub(super) async fn ask_log(
        &mut self,
        transaction: &mut Transaction<'static, Postgres>,
    ) -> Result<(), PgError> {
        let unsure = std::mem::take(&mut self.unsure);
        let sure: Vec<i16> =
            sqlx::query_scalar(LOOK_INTO_LOG).bind(unsure).fetch_all(&mut **transaction).await?;
        self.lanes.extend(sure);
        Ok(())
    }
}
