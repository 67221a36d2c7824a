//! The relay side of the outbox: how relays claim events, and the proof that no event is lost or
//! reordered.
//!
//! The table `outbox` is append-only. Each row has a `lane` (a hash of its aggregate's id) and a
//! `position` from the sequence of this lane. `outbox_lanes.through` is the cursor of the lane: all
//! positions at or below the cursor are processed, except the ones listed in `outbox_stragglers`
//! and `outbox_gaps`. A row in `outbox_stragglers` is called a straggler. Its `reason` is `late`
//! (the position had no row), `failed` (publishing failed) or `held` (the event has to wait).
//!
//! A claim is a transaction that locks the rows of some lanes in `outbox_lanes` while the relay
//! publishes to Kafka. So two relays never work on the same lane. If a relay dies, its connection
//! ends, and Postgres releases its locks.
//!
//! # Order
//! A writer locks the row of the aggregate before it takes a position, and holds the lock until it
//! commits. So of two events of one aggregate, the later one has the higher position, and a
//! snapshot that contains the later one also contains the earlier one.
//!
//! A claim reads all due stragglers and the rows above the cursor in one snapshot, and returns them
//! in the order of their positions. If it cannot contain a straggler, it contains no later events
//! of the same aggregate either. Those that the cursor passes are recorded as `held`.
//!
//! # Gaps
//! A position without a row was taken by a transaction that is still running or was rolled back.
//! Sequences are not transactional, so both look the same. A cursor that simply moved past such a
//! position would lose the event of a transaction that is still running.
//!
//! A claim waits until the row after the gap is 50 ms old. This only saves work: most gaps are
//! filled by then. After that, the cursor moves past the gap, and each missing position p is
//! recorded as `late`. From then on, every claim of the lane looks at p:
//!
//! - If p has a row, the row is added to the claim.
//! - If p has no row and *no transaction that could insert it is left*, p is dropped.
//! - Otherwise p stays recorded.
//!
//! A wide gap (a rolled-back import, or a jump of the sequence after a crash) is recorded as one
//! range in `outbox_gaps`, however wide it is. The same three rules apply to each of its positions:
//!
//! - Rows in the range are added to the claim, in the order of their positions, together with the
//!   stragglers. A position that is settled, or recorded as a straggler, is removed from the range,
//!   which may split it. A row that was not sent stays in the range.
//! - If the range is *proved* (no transaction that could insert a row in it is left, by the proof
//!   below), the positions that were read and have no row are dropped, up to the first row that
//!   stays.
//! - Otherwise the range stays unchanged.
//!
//! A claim reads a limited number of rows in its ranges. If there may be more rows, it contains
//! nothing above the last row that it has read there: it does not know the aggregates of the rows
//! that it has not read.
//!
//! # Proof that a late position is dropped only if its row can never appear
//! Let W be the transaction that took p. W had written the row of its aggregate before, so it
//! already had its id xid(W) when it called `nextval`. Let A be the claim that recorded p as late.
//! A saw a row q > p of the lane. Hence:
//!
//! > xid(W) assigned → `nextval` = p → `nextval` = q → q committed → A's snapshot → A committed.
//!
//! Let B be a claim whose *first* statement, the one that locks the lanes, sees A's record of p.
//! The snapshot of a transaction's first statement is taken before the transaction has an id.
//! Hence:
//!
//! > A committed → B's first snapshot → xid(B) assigned.
//!
//! Ids ascend in the order in which they are assigned, so xid(W) < xid(B). B stores its own id as
//! the `horizon` of p. A later claim drops p only if `horizon <= pg_snapshot_xmin(…)` in the
//! snapshot in which it finds no row for p. This condition means that every transaction with an id
//! below xid(B) has ended. So W has ended, and because its row is not visible, W was rolled back.
//! No clock is used in this proof, so no wrong clock can break it.
//!
//! The obvious shortcuts are wrong:
//!
//! - A's own id as the horizon: it is assigned before A's snapshot, so xid(W) may be higher.
//! - `pg_snapshot_xmax` as the horizon: it is the highest id that has *ended* plus one, not the
//!   highest id that was *assigned* plus one. So xid(W) may be higher than this, too.
//! - Several statements that lock the lanes of B: the first one could assign xid(B) before A has
//!   committed, and a later one could then see A's record. Therefore B locks all its lanes with its
//!   first statement, and this statement has to see the record.
//!
//! The search for lanes before a claim is not part of the proof. It only selects the lanes to try.
//!
//! For a range, the proof holds for each of its positions:
//!
//! - The same claim A records all of them, after it has seen one row q above all of them.
//! - B sets the horizon of a range only if the whole range lies in one range without a horizon that
//!   B's first statement saw.
//! - A part that is split off a range, or that remains of it, keeps the horizon of the whole range.
//! - A position is dropped only by a claim whose snapshot shows the range as proved, and which has
//!   read, in this snapshot, the rows of the range up to this position and found none there.
//!
//! The proof assumes that positions never go back and that the database is still the same one.
//! `outbox_check.rs` checks both.
//!
//! A horizon above `pg_snapshot_xmax` was stored on another server, before a dump was restored into
//! this one. It is replaced, as if there were none.
//!
//! # Relays of older versions
//! Relays from before migration 6 neither read nor write `outbox_gaps`. Running them at the same
//! time loses nothing: they cannot drop a range or a part of one, and newer relays publish the rows
//! that appear in it. (Ranges are not stored in `outbox_stragglers`, because old relays would take
//! such a row for a single position and delete it after they have published that.) Old relays
//! record each position of a gap on its own, which all relays understand. If the `replay` command
//! of an old version moves a cursor back, ranges may remain above the cursor. A claim reads the
//! rows of a range only up to the cursor, and drops the part above it.
//!
//! Old relays cannot wait for rows in a range, because they do not see it. While both versions run,
//! the next event of an aggregate may be published before its event in a wide gap, if an old relay
//! claims the lane in between. Narrow gaps, which running transactions usually cause, are recorded
//! as stragglers by all versions.

mod claim;
mod gap;
mod lane_search;
mod lanes_per_claim;
mod plan;
#[cfg(test)]
mod properties;
mod read;
mod settlement;

use std::time::{Duration, Instant};

use application::StoreError;
use application::relay::{CLAIM_BYTES, Claim, Outbox};
use sqlx::PgPool;

pub use claim::PgClaim;
use lane_search::LaneSearch;
use lanes_per_claim::LanesPerClaim;
pub use lanes_per_claim::MAX_LANES_PER_CLAIM;
use plan::{LanePlan, Limits};
use read::LockedLane;

use adapter_postgres::timeouts::{close, in_time};
use adapter_postgres::{Database, KeptSession, KeptSessions, PgError};

/// Maximum total size of the payloads in all open claims of a program. One more record per lane may
/// exceed it.
///
/// The Kafka client holds the payloads a second time.
const ALL_BYTES: usize = 4 * 1024 * 1024;

/// Begins a claim. Fails if the outbox is not the one that was checked (see `outbox_check.rs`).
///
/// The function only reads, so the transaction has no id before the statement that locks the lanes.
/// That statement therefore counts as the first one in the proof above.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT refuse_unverified_outbox()";

/// Settings for each session of a relay.
///
/// The outbox must be read by its index, whatever the statistics say: they are outdated for a
/// partition that was empty yesterday.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off";

/// How long a relay uses a connection.
///
/// A primary that was replaced may still run. A connection to it would show no new events.
const LIFETIME: Duration = Duration::from_secs(30);

/// How long a claim may stay open.
///
/// Postgres ends a session that is idle in its transaction for 30 s. Records that were published by
/// then would be published again.
const CLAIM_TIME: Duration = Duration::from_secs(20);

/// Relay side of the outbox, in Postgres.
///
/// It has its own connections, so that relays that wait for Kafka block no other part of the
/// program.
#[derive(Debug, Clone)]
pub struct PgOutbox {
    pool: PgPool,
    sessions: KeptSessions,
    lane_search: LaneSearch,
    lanes_per_claim: LanesPerClaim,
    /// Maximum total size of the payloads in a claim. One more record per lane may exceed it.
    claim_bytes: usize,
}

impl PgOutbox {
    /// The outbox in this database, with at most `claims` concurrent claims.
    ///
    /// The payloads of all claims have at most 4 MiB in total, plus one record per lane.
    #[must_use]
    pub fn new(database: &Database, claims: u32) -> Self {
        // One more than is used at the same time, so that sessions are kept.
        let pool = database
            .sessions(claims + 1, SESSION)
            .max_lifetime(LIFETIME)
            .connect_lazy_with(database.options().clone());
        let bytes_per_claim = ALL_BYTES / usize::try_from(claims.max(1)).unwrap_or(usize::MAX);
        Self {
            sessions: KeptSessions::of(&pool),
            pool,
            lane_search: LaneSearch::default(),
            lanes_per_claim: LanesPerClaim::default(),
            claim_bytes: bytes_per_claim.min(CLAIM_BYTES),
        }
    }

    /// Starts a clock for a claim. The returned function tells how long the claim may stay open.
    ///
    /// It is meant for [`relay_step`](application::relay::relay_step).
    pub fn claim_clock() -> impl Fn() -> Duration {
        let claimed = Instant::now();
        move || CLAIM_TIME.saturating_sub(claimed.elapsed())
    }

    /// Closes the connections after all open claims have ended.
    pub async fn close(&self) {
        close(&self.pool).await;
    }

    /// Maximum lifetime of a connection.
    #[must_use]
    pub fn connection_lifetime(&self) -> Option<Duration> {
        self.pool.options().get_max_lifetime()
    }

    async fn find_work(&self, limit: usize) -> Result<Option<PgClaim>, StoreError> {
        let mut session = self.sessions.acquire().await?;
        let mut lanes = self.lane_search.find(&mut session).await?;
        while !lanes.is_empty() {
            begin(&mut session).await?;
            let max_lanes = self.lanes_per_claim.max(limit);
            let locked = LockedLane::lock(&mut session, &lanes, max_lanes).await?;
            if locked.is_empty() {
                roll_back(&mut session).await?;
                break;
            }
            lanes.retain(|(lane, _)| locked.iter().all(|locked| locked.lane != *lane));
            // If fewer lanes were locked than possible, other relays hold the remaining ones.
            let lanes_left = locked.len() == max_lanes && !lanes.is_empty();
            let limits = Limits {
                records: (limit / locked.len()).max(1),
                bytes: (self.claim_bytes / locked.len()).max(1),
            };
            let lanes_per_claim = self.lanes_per_claim.clone();
            let (claim, full) =
                claim_locked(session, locked, limits, lanes_left, lanes_per_claim).await?;
            if !claim.records().is_empty() {
                self.lanes_per_claim.set_lanes_full(full);
                return Ok(Some(claim));
            }
            // Nothing to publish. The claim may still move cursors and change stragglers and gaps.
            let search_again = full && claim.moves_a_cursor();
            session = claim.write(&[]).await?;
            if search_again {
                lanes = self.lane_search.find(&mut session).await?;
            }
        }
        session.keep();
        Ok(None)
    }
}

/// Begins a claim.
async fn begin(session: &mut KeptSession) -> Result<(), PgError> {
    sqlx::raw_sql(BEGIN).execute(&mut **session).await?;
    Ok(())
}

/// Ends a claim without changes.
async fn roll_back(session: &mut KeptSession) -> Result<(), PgError> {
    sqlx::raw_sql("ROLLBACK").execute(&mut **session).await?;
    Ok(())
}

impl Outbox for PgOutbox {
    type Claim = PgClaim;

    async fn claim(&self, limit: usize) -> Result<Option<PgClaim>, StoreError> {
        in_time(self.find_work(limit)).await
    }
}

/// Reads the locked lanes and plans the claim, with these limits for each lane. Also returns
/// whether a lane has reached the limits and may have more records.
async fn claim_locked(
    mut session: KeptSession,
    locked: Vec<LockedLane>,
    limits: Limits,
    lanes_left: bool,
    lanes_per_claim: LanesPerClaim,
) -> Result<(PgClaim, bool), StoreError> {
    let snapshots = LockedLane::read(&locked, &mut session, limits).await?;
    let mut full = snapshots.iter().any(|snapshot| snapshot.reaches(limits));
    let mut plans = Vec::with_capacity(locked.len());
    for (lane, snapshot) in locked.into_iter().zip(snapshots) {
        let plan = LanePlan::new(lane.through, snapshot, limits);
        full |= plan.reaches(limits);
        plans.push((lane.lane, plan));
    }
    Ok((PgClaim::new(session, plans, full || lanes_left, lanes_per_claim), full))
}
