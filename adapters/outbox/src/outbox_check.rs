//! The check of what the proof in `outbox.rs` takes for granted.
//!
//! The proof needs two things that nobody but an operator can break: positions never go back, and the
//! database is the one that it was. A sequence can be behind its cursor after an upgrade by logical
//! replication, or a restore in two parts: new events would get positions that count as published.
//! After a restore, or the promotion of a standby, events that were published may be unknown, and
//! their orders with them.
//!
//! [`OutboxCheck`] looks at the sequences, cursors and rows, and at which server it is on
//! (`finding.rs` decides what that means), and remembers in `outbox_identity` what it found
//! sound. A relay runs it at its start, while the database is away, and every minute.
//!
//! What happens between two checks is safe as well:
//!
//! - A connection that leads to another server cannot be used: each claim begins with
//!   `refuse_unverified_outbox`, which compares the server with the one remembered. (A
//!   session stays on its server, but a standby may be promoted under it.)
//! - Events that are written behind a cursor are not lost. What is wrong with a lane is remembered,
//!   and stays a reason to stop even if the sequence is put right, until an operator has adopted it.
//!   That makes all events due again that were recorded since the last check that found it sound.
//!
//! What a running relay has seen it remembers itself, too. A standby that replication had not reached
//! knows nothing of the last positions, but the relay does.

pub(super) mod finding;

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use application::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use adapter_postgres::timeouts::{close, in_time};
use adapter_postgres::{Database, PgError};

use finding::{Finding, Known, LaneSight, Server, findings, is_mere_promotion, reason, remembered};

/// How far below the last known position two rows with the same one are looked for.
const NEAR: i64 = 1_000;

/// How many rows of a lane are looked at for that, at the most.
const LOOKED_AT: i64 = 5_000;

const SERVER: &str = "
SELECT system_identifier, timeline() AS timeline, clock_timestamp() AS read_at
FROM pg_control_system()";

const KNOWN: &str = "
SELECT system_identifier, timeline, verified_at, reached, stopped_for, adopted_at
FROM outbox_identity";

/// The sequences, without their values. One may be missing.
const SEQUENCES: &str = "
SELECT n.lane, s.cache_size = 1 AND s.increment_by = 1 AND NOT s.cycle AS ascends
FROM generate_series(0, 15) AS n (lane)
JOIN pg_sequences AS s
  ON s.schemaname = 'ordering' AND s.sequencename = 'outbox_lane_' || n.lane";

/// Each lane's ends, and a stretch of its rows. `$1` is, per lane, where that begins. The values of
/// the sequences are to be put in.
///
/// A statement's snapshot is older than what it reads of a sequence, which knows no snapshots. So
/// whatever rows and cursors it sees, their positions were given before.
const SIGHTS: &str = "
SELECT n.lane::smallint AS lane, l.through, s.last, coalesce(s.ascends, false) AS ascends,
       highest.position AS highest, twice.position AS twice
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
    WHERE pair.position = pair.before LIMIT 1) AS twice ON true
ORDER BY n.lane";

/// Puts down that all is well, unless somebody has put down something else since it was read.
const REMEMBER: &str = "
INSERT INTO outbox_identity AS known (system_identifier, timeline, verified_at, reached)
VALUES ($1, $2, $3, $4)
ON CONFLICT (only_row) DO UPDATE
SET timeline = $2, verified_at = $3, reached = $4
WHERE known.system_identifier = $1 AND known.timeline = $5 AND known.adopted_at = $6
  AND known.stopped_for IS NULL AND coalesce(known.verified_at < $3, true)";

/// Puts down why nothing may be published, unless the outbox was adopted since it was read.
const STOP: &str = "
INSERT INTO outbox_identity AS known (system_identifier, timeline, stopped_for)
VALUES ($1, $2, $3)
ON CONFLICT (only_row) DO UPDATE SET stopped_for = $3
WHERE known.adopted_at = $4 AND known.stopped_for IS NULL";

/// Checks that the outbox is what relays take it for. Clones share what they have seen.
#[derive(Debug, Clone)]
pub struct OutboxCheck {
    database: Database,
    adopts_promotions: bool,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// What this process saw, on whichever server it was.
#[derive(Debug, Clone)]
struct Seen {
    reached: Vec<i64>,
    adopted_at: Option<DateTime<Utc>>,
}

impl OutboxCheck {
    /// A check of the outbox in this database. `adopts_promotions`: a standby that was promoted a
    /// moment ago and lacks nothing is taken for the server it replaces.
    #[must_use]
    pub fn new(database: &Database, adopts_promotions: bool) -> Self {
        Self { database: database.clone(), adopts_promotions, seen: Arc::default() }
    }

    /// Why nothing may be published, and what to do about it; `None` if all is well.
    ///
    /// It connects anew each time, to see where the settings lead now.
    ///
    /// # Errors
    /// When the outbox could not be looked at.
    pub async fn run(&self) -> Result<Option<String>, StoreError> {
        let session =
            self.database.sessions(1, "").connect_lazy_with(self.database.options().clone());
        // Boxed so that callers' futures stay small.
        let checked = in_time(Box::pin(async {
            let mut transaction = session.begin().await?;
            let reason = self.look(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, PgError>(reason)
        }))
        .await;
        close(&session).await;
        Ok(checked?)
    }

    async fn look(&self, session: &mut PgConnection) -> Result<Option<String>, PgError> {
        let server = Server::read(session).await?;
        let known = Known::read(session).await?;
        let reached = self.reached(known.as_ref());
        let lanes = LaneSight::read(session, &reached).await?;
        let found = findings(&server, known.as_ref(), &lanes, &reached);
        let promoted = is_mere_promotion(&found, &server, known.as_ref());
        if found.is_empty() || (promoted && self.adopts_promotions) {
            if promoted {
                tracing::warn!(
                    timeline = server.timeline,
                    "the promotion of a standby is adopted, as OUTBOX_ADOPT_PROMOTION says"
                );
            }
            let reached = lanes.iter().map(LaneSight::reached).zip(&reached);
            let reached: Vec<i64> = reached.map(|(now, before)| now.max(*before)).collect();
            remember(session, &server, known.as_ref(), &reached).await?;
            self.see(Seen { reached, adopted_at: known.map(|known| known.adopted_at) });
            return Ok(None);
        }
        let reason = reason(&found);
        if found.iter().any(Finding::hides_events) {
            sqlx::query(STOP)
                .bind(server.system_identifier)
                .bind(server.timeline)
                .bind(&reason)
                .bind(known.map(|known| known.adopted_at))
                .execute(session)
                .await?;
        }
        Ok(reason)
    }

    /// Per lane: the highest position that was there at any time since the outbox was adopted.
    fn reached(&self, known: Option<&Known>) -> Vec<i64> {
        let mut reached = remembered(known);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.map(|known| known.adopted_at);
        if let Some(seen) = seen.as_ref().filter(|seen| since <= seen.adopted_at) {
            for (reached, seen) in reached.iter_mut().zip(&seen.reached) {
                *reached = (*reached).max(*seen);
            }
        }
        reached
    }

    fn see(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

impl Server {
    pub(super) async fn read(session: &mut PgConnection) -> Result<Self, PgError> {
        Ok(sqlx::query_as(SERVER).fetch_one(session).await?)
    }
}

impl Known {
    pub(super) async fn read(session: &mut PgConnection) -> Result<Option<Self>, PgError> {
        Ok(sqlx::query_as(KNOWN).fetch_optional(session).await?)
    }
}

impl LaneSight {
    /// Reads all lanes. Two rows with one position are looked for near `reached` and above it.
    pub(super) async fn read(
        session: &mut PgConnection,
        reached: &[i64],
    ) -> Result<Vec<Self>, PgError> {
        let sequences: Vec<(i32, bool)> =
            sqlx::query_as(SEQUENCES).fetch_all(&mut *session).await?;
        let none = "SELECT 0 AS lane, 0::bigint AS last, true AS ascends WHERE false";
        let mut values = none.to_owned();
        for (lane, ascends) in sequences {
            // A sequence that was not called yet holds what it will give first.
            let _ = write!(
                values,
                " UNION ALL SELECT {lane}, last_value - (NOT is_called)::integer, {ascends}
                  FROM outbox_lane_{lane}"
            );
        }
        let query = SIGHTS.replace("/* sequences */", &values);
        let near: Vec<i64> = reached.iter().map(|position| position - NEAR).collect();
        let query = sqlx::query_as(AssertSqlSafe(query)).bind(near).bind(LOOKED_AT);
        Ok(query.fetch_all(session).await?)
    }
}

async fn remember(
    session: &mut PgConnection,
    server: &Server,
    known: Option<&Known>,
    reached: &[i64],
) -> Result<(), PgError> {
    sqlx::query(REMEMBER)
        .bind(server.system_identifier)
        .bind(server.timeline)
        .bind(server.read_at)
        .bind(reached)
        .bind(known.map(|known| known.timeline))
        .bind(known.map(|known| known.adopted_at))
        .execute(session)
        .await?;
    Ok(())
}
