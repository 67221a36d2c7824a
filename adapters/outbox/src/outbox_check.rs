//! Checks the assumptions of the proof in `outbox.rs`.
//!
//! The proof assumes that positions never go back and that the database is still the same one. Only
//! an operator can break this:
//!
//! - After an upgrade by logical replication, or a restore in two parts, a sequence can be below
//!   its cursor. New events would get positions that count as published.
//! - After a restore, or the promotion of a standby, events that were published may be missing in
//!   the database, together with the changes of their aggregates.
//!
//! [`OutboxCheck`] reads the sequences, cursors and rows, and which server it is connected to.
//! `problems.rs` decides what is wrong. If there is no problem, the check stores the state in
//! `outbox_identity`. A relay runs the check when it starts, while the database is unavailable, and
//! every minute.
//!
//! Between two checks, the outbox is safe as well:
//!
//! - A connection to another server cannot be used: each claim begins with
//!   `refuse_unverified_outbox`, which compares the server with the stored one. (A session stays on
//!   its server, but this server may be a standby that is promoted.)
//! - Events at or below a cursor are not lost. A problem of a lane is stored. It stops relays even
//!   if somebody corrects the sequence, until an operator adopts the outbox. The adoption makes all
//!   events due again that were recorded since the last check that found no problem.
//!
//! A relay also keeps in memory the highest positions that it has seen. A standby that lags behind
//! does not have the last positions, but the relay knows them.

pub(super) mod problems;

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use application::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use adapter_postgres::timeouts::{close, in_time};
use adapter_postgres::{Database, PgError};

use super::ContextOutbox;
use problems::{
    LaneState, Problem, Server, StoredIdentity, find_problems, is_only_a_promotion,
    known_positions, stop_reason,
};

/// How far below the highest known position the search for duplicate positions begins.
const DUPLICATES_BELOW: i64 = 1_000;

/// Maximum number of rows per lane in the search for duplicate positions.
const DUPLICATES_ROWS: i64 = 5_000;

/// The state of each lane, and duplicate positions in a part of its rows. `$1` has, per lane, the
/// position where this part begins. `/* sequences */` is replaced by the values of the sequences
/// that exist, so this is no macro of sqlx.
///
/// The value of a sequence does not belong to a snapshot: it is read later than the snapshot is
/// taken. So it is at least as high as every row and cursor that the statement sees.
const LANES: &str = "
SELECT n.lane::smallint AS lane, l.through, s.last, coalesce(s.ascends, false) AS ascends,
       highest.position AS highest, duplicate.position AS duplicate
FROM generate_series(0, 15) AS n (lane)
LEFT JOIN outbox_lanes AS l ON l.lane = n.lane
LEFT JOIN (/* sequences */) AS s ON s.lane = n.lane
LEFT JOIN LATERAL (
    SELECT o.position FROM outbox AS o WHERE o.lane = n.lane
    ORDER BY o.position DESC LIMIT 1) AS highest ON true
LEFT JOIN LATERAL (
    SELECT pair.position
    FROM (SELECT near.position, lag(near.position) OVER (ORDER BY near.position) AS before
          FROM (SELECT o.position FROM outbox AS o
                WHERE o.lane = n.lane AND o.position > $1[n.lane + 1]
                ORDER BY o.position LIMIT $2) AS near) AS pair
    WHERE pair.position = pair.before LIMIT 1) AS duplicate ON true
ORDER BY n.lane";

/// Check of the assumptions that relays make about the outbox.
///
/// Clones share the positions that they have seen.
#[derive(Debug, Clone)]
pub struct OutboxCheck {
    database: Database,
    outbox: &'static ContextOutbox,
    adopts_promotions: bool,
    seen: Arc<Mutex<Option<SeenPositions>>>,
}

/// The highest positions that this process has seen, on any server.
#[derive(Debug, Clone)]
struct SeenPositions {
    /// Per lane.
    reached: Vec<i64>,
    /// The adoption before which they were seen.
    adopted_at: Option<DateTime<Utc>>,
}

impl OutboxCheck {
    /// A check of the outbox of this context.
    ///
    /// With `adopts_promotions`, a standby that was promoted recently and has all known positions
    /// is adopted without an operator.
    #[must_use]
    pub fn new(
        database: &Database,
        outbox: &'static ContextOutbox,
        adopts_promotions: bool,
    ) -> Self {
        Self { database: database.clone(), outbox, adopts_promotions, seen: Arc::default() }
    }

    /// Checks the outbox. Returns why nothing may be published and what to do, or `None` if there
    /// is no problem.
    ///
    /// It opens a new connection each time, to check the server that the settings point to now.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn run(&self) -> Result<Option<String>, StoreError> {
        let session =
            self.database.sessions(1, "").connect_lazy_with(self.database.options().clone());
        // Boxed so that callers' futures stay small.
        let checked = in_time(Box::pin(async {
            let mut transaction = session.begin().await?;
            let reason = self.check(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, PgError>(reason)
        }))
        .await;
        close(&session).await;
        Ok(checked?)
    }

    async fn check(&self, session: &mut PgConnection) -> Result<Option<String>, PgError> {
        let server = Server::read(session).await?;
        let stored = StoredIdentity::read(session).await?;
        let reached = self.reached(stored.as_ref());
        let lanes = LaneState::read(session, &reached).await?;
        let problems = find_problems(&server, stored.as_ref(), &lanes, &reached);
        let promoted = is_only_a_promotion(&problems, &server, stored.as_ref());
        if problems.is_empty() || (promoted && self.adopts_promotions) {
            if promoted {
                tracing::warn!(
                    timeline = server.timeline,
                    "a standby was promoted; continuing to publish without `{} adopt`, because \
                     OUTBOX_ADOPT_PROMOTION is set",
                    self.outbox.command
                );
            }
            let reached = lanes.iter().map(LaneState::reached).zip(&reached);
            let reached: Vec<i64> = reached.map(|(now, before)| now.max(*before)).collect();
            store_verified(session, &server, stored.as_ref(), &reached).await?;
            let adopted_at = stored.map(|stored| stored.adopted_at);
            self.set_seen(SeenPositions { reached, adopted_at });
            return Ok(None);
        }
        let reason = stop_reason(&problems, self.outbox.command);
        if problems.iter().any(Problem::may_hide_events) {
            // Unless the outbox was adopted since the row was read.
            let stop = sqlx::query!(
                "
                INSERT INTO outbox_identity AS stored (system_identifier, timeline, stopped_for)
                VALUES ($1, $2, $3)
                ON CONFLICT (only_row) DO UPDATE SET stopped_for = $3
                WHERE stored.adopted_at = $4 AND stored.stopped_for IS NULL",
                server.system_identifier,
                server.timeline,
                reason,
                stored.map(|stored| stored.adopted_at)
            );
            stop.execute(session).await?;
        }
        Ok(reason)
    }

    /// Per lane: the highest position that was known at any time since the last adoption.
    fn reached(&self, stored: Option<&StoredIdentity>) -> Vec<i64> {
        let mut reached = known_positions(stored);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let adopted_at = stored.map(|stored| stored.adopted_at);
        if let Some(seen) = seen.as_ref().filter(|seen| adopted_at <= seen.adopted_at) {
            for (reached, seen) in reached.iter_mut().zip(&seen.reached) {
                *reached = (*reached).max(*seen);
            }
        }
        reached
    }

    fn set_seen(&self, seen: SeenPositions) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

impl Server {
    pub(super) async fn read(session: &mut PgConnection) -> Result<Self, PgError> {
        let server = sqlx::query_as!(
            Self,
            r#"
            SELECT system_identifier AS "system_identifier!", timeline() AS timeline,
                   clock_timestamp() AS "read_at!"
            FROM pg_control_system()"#
        );
        Ok(server.fetch_one(session).await?)
    }
}

impl StoredIdentity {
    pub(super) async fn read(session: &mut PgConnection) -> Result<Option<Self>, PgError> {
        let stored = sqlx::query_as!(
            Self,
            "
            SELECT system_identifier, timeline, verified_at, reached, stopped_for, adopted_at
            FROM outbox_identity"
        );
        Ok(stored.fetch_optional(session).await?)
    }
}

impl LaneState {
    /// Reads all lanes. Duplicate positions are searched for from shortly below `reached`.
    pub(super) async fn read(
        session: &mut PgConnection,
        reached: &[i64],
    ) -> Result<Vec<Self>, PgError> {
        // The sequences that exist, without their values.
        let sequences = sqlx::query!(
            r#"
            SELECT n.lane AS "lane!", s.cache_size = 1 AND s.increment_by = 1 AND NOT s.cycle AS "ascends!"
            FROM generate_series(0, 15) AS n (lane)
            JOIN pg_sequences AS s
              ON s.schemaname = current_schema() AND s.sequencename = 'outbox_lane_' || n.lane"#
        );
        let none = "SELECT 0 AS lane, 0::bigint AS last, true AS ascends WHERE false";
        let mut values = none.to_owned();
        for sequence in sequences.fetch_all(&mut *session).await? {
            let (lane, ascends) = (sequence.lane, sequence.ascends);
            // The `last_value` of a sequence that was not called yet is the value it will return
            // first.
            let _ = write!(
                values,
                " UNION ALL SELECT {lane}, last_value - (NOT is_called)::integer, {ascends}
                  FROM outbox_lane_{lane}"
            );
        }
        let query = LANES.replace("/* sequences */", &values);
        let from: Vec<i64> = reached.iter().map(|position| position - DUPLICATES_BELOW).collect();
        let query = sqlx::query_as(AssertSqlSafe(query)).bind(from).bind(DUPLICATES_ROWS);
        Ok(query.fetch_all(session).await?)
    }
}

/// Stores that no problem was found, unless the stored row has changed since it was read.
async fn store_verified(
    session: &mut PgConnection,
    server: &Server,
    stored: Option<&StoredIdentity>,
    reached: &[i64],
) -> Result<(), PgError> {
    let store = sqlx::query!(
        "
        INSERT INTO outbox_identity AS stored (system_identifier, timeline, verified_at, reached)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (only_row) DO UPDATE
        SET timeline = $2, verified_at = $3, reached = $4
        WHERE stored.system_identifier = $1 AND stored.timeline = $5 AND stored.adopted_at = $6
          AND stored.stopped_for IS NULL AND coalesce(stored.verified_at < $3, true)",
        server.system_identifier,
        server.timeline,
        server.read_at,
        reached,
        stored.map(|stored| stored.timeline),
        stored.map(|stored| stored.adopted_at)
    );
    store.execute(session).await?;
    Ok(())
}
