//! The outbox as a relay reads it: a log with lanes, and why nothing in it is lost or overtaken.
//!
//! `outbox` is only ever appended to. A row has a `lane` (by its order's id) and a
//! `position` from the lane's own sequence. `outbox_lanes.through` is the lane's cursor: all
//! positions up to it are processed, except those listed in `outbox_stragglers`. A claim is a
//! transaction that holds the rows of some lanes locked while Kafka is spoken to, so no two relays
//! work on one lane; when a relay dies, its locks go with its connection.
//!
//! # Order
//! A writer locks the order's row before it takes a position and holds it until it commits. So of
//! two events of one order the later has the higher position, and whoever sees the later sees the
//! earlier as well. A claim reads all due stragglers and the rows behind the cursor in one snapshot
//! and hands them out by position. An order with a straggler that is not handed out is passed over:
//! its later events are noted as `held`.
//!
//! # Gaps
//! A position without a row is one of a transaction that is in flight or rolled back. Sequences are
//! not transactional, so both look alike, and a cursor that simply moved on would lose the first
//! kind. A claim waits until the row behind the gap is 50 ms old (which only saves work), then
//! steps over the gap and notes each missing position p as `late`. From then on p is looked at in
//! every claim of its lane:
//!
//! - its row is there: it is handed out;
//! - its row is not there and *no transaction that could bring it is left*: it is dropped;
//! - otherwise it stays.
//!
//! A wide gap (a rolled back import, a jump of the sequence after a crash) is noted as one range in
//! `outbox_gaps`, whatever its width, and the same three rules hold for each of its positions:
//!
//! - rows that are there are handed out, by position, together with the stragglers. What is settled or
//!   noted as a straggler leaves the range, which may split it; what is not sent stays in it;
//! - when the range is proved, what was seen to be missing goes, up to the first row that stays;
//! - otherwise it stays as it is.
//!
//! A claim reads a bounded number of rows of its ranges. If there may be more, it hands out nothing
//! behind the last one it has read: it does not know the orders of those it has not.
//!
//! # Proof that a late position is dropped only when it can never come
//! Let W be the transaction that took p. It wrote an order before, so it had its id xid(W) when it
//! called `nextval`. Let A be the claim that noted p as late. It saw a row q > p of the lane, hence
//!
//! > xid(W) assigned → `nextval` = p → `nextval` = q → q committed → A's snapshot → A committed.
//!
//! Let B be a claim whose *first* statement, the one that locks lanes, sees A's note. The
//! snapshot of a transaction's first statement is taken before the transaction has an id, so
//!
//! > A committed → B's first snapshot → xid(B) assigned.
//!
//! Ids ascend in the order in which they are assigned: xid(W) < xid(B). B puts its own id down as
//! p's `horizon`. A later claim drops p only if, in the snapshot in which it finds no row,
//! `horizon <= pg_snapshot_xmin(…)`: every transaction before B has ended. So has W, and as its row
//! is not visible, it rolled back. No clock takes part in this, so none can break it.
//!
//! (The obvious shortcuts are wrong. A's own id is assigned before its snapshot, so W may be
//! younger. So may it be than `pg_snapshot_xmax`, which is one more than the latest id that has
//! *ended*, not than the latest that was assigned. And the id of a claim that locked its lanes by
//! several statements could be older than a note that it then sees; hence the condition on B's first
//! statement, which locks them all. The look before it takes no part: it only says where to try.)
//!
//! For a range the proof is that of each of its positions. The same claim A notes all of them, having
//! seen one row q behind them all. B stamps a range only if all of it lies in a range without a horizon
//! that its first statement saw. What is cut off from a range, or left of it, keeps the horizon of the
//! whole. And a position is dropped only by a claim whose snapshot shows the range as proved, which has
//! read the rows of the range up to that position in this snapshot, and found none there.
//!
//! The proof takes for granted that positions never go back and that the database is the one that it
//! was. `outbox_check.rs` checks both.
//!
//! A horizon beyond `pg_snapshot_xmax` comes from another life of the database (a dump restored
//! into a new server); it is replaced as if there were none.
//!
//! # Beside relays that do not know ranges
//! Relays before migration 6 neither read nor write `outbox_gaps`. So they cannot drop a range, nor a part
//! of one, and whatever comes in it is published by a relay that knows it: nothing is lost. (In
//! `outbox_stragglers` a range would be lost: they take a row there for a single position, and delete it
//! when they have published that.) A gap that they meet they note position by position, as before, which
//! all relays understand. A cursor that their `replay` moves back may leave ranges behind it; a claim
//! reads rows in a range only up to the cursor, and drops what lies behind it.
//!
//! What they do not see, they cannot wait for. While both are at work, an order whose event comes in a wide
//! gap may have its next event published first, if one of them claims the lane in between. Narrow
//! gaps, which are those of transactions in flight in the ordinary course of things, are noted as
//! stragglers by all.

mod breadth;
mod claim;
mod gap;
mod look;
mod plan;
#[cfg(test)]
mod properties;
mod read;
mod settlement;

use std::time::{Duration, Instant};

use application::StoreError;
use application::relay::{CLAIM_BYTES, Claim, Outbox};
use sqlx::{PgPool, Postgres, Transaction};

use breadth::Breadth;
pub use breadth::LANES_AT_ONCE;
pub use claim::PgClaim;
use look::Lookout;
use plan::{Plan, Room};
use read::LockedLane;

use adapter_postgres::timeouts::{close, in_time};
use adapter_postgres::{Database, PgError};

/// The most bytes that the payloads of all claims of a program have at once, beside one record of each
/// lane. Kafka's client holds them a second time.
const ALL_BYTES: usize = 4 * 1024 * 1024;

/// Begins a claim, unless the outbox is not the one that was checked (`outbox_check.rs`). That look
/// only reads, so the transaction has no id before the statement that locks lanes, which counts as
/// its first in the proof above.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT refuse_unverified_outbox()";

/// What each session of a relay is told as well.
///
/// The log is to be walked by its index whatever the statistics say: they are always behind for a
/// partition that was empty yesterday. The cost that the planner adds for what is switched off must
/// not start the compiler (JIT).
const SESSION: &str = "SET plan_cache_mode = force_generic_plan;
SET jit = off;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off";

/// How long a relay uses a connection. One that leads to a primary that was replaced and lives on
/// would show it a quiet outbox, for as long as the connection lasts.
const LIFETIME: Duration = Duration::from_secs(30);

/// How long a claim may be held. Postgres ends a session that was left in its transaction for 30 s, and
/// what was published by then would be published again.
const CLAIM_TIME: Duration = Duration::from_secs(20);

/// The outbox, as a relay sees it.
///
/// Its connections are its own, so that a relay that waits for Kafka takes none from anybody else.
#[derive(Debug, Clone)]
pub struct PgOutbox {
    pool: PgPool,
    lookout: Lookout,
    breadth: Breadth,
    /// None of a claim's records is beyond so many bytes of payloads.
    claim_bytes: usize,
}

impl PgOutbox {
    /// The outbox in this database. At most `claims` can be open at once; together their payloads have
    /// at most 4 MiB, beside one record of each lane.
    #[must_use]
    pub fn new(database: &Database, claims: u32) -> Self {
        let pool = database
            .sessions(claims, SESSION)
            .max_lifetime(LIFETIME)
            .connect_lazy_with(database.options().clone());
        let share = ALL_BYTES / usize::try_from(claims.max(1)).unwrap_or(usize::MAX);
        Self {
            pool,
            lookout: Lookout::default(),
            breadth: Breadth::default(),
            claim_bytes: share.min(CLAIM_BYTES),
        }
    }

    /// Starts a clock that tells how long a claim may still be held, for
    /// [`relay_step`](application::relay::relay_step).
    pub fn claim_clock() -> impl Fn() -> Duration {
        let claimed = Instant::now();
        move || CLAIM_TIME.saturating_sub(claimed.elapsed())
    }

    /// Closes the connections, after the claims that are open.
    pub async fn close(&self) {
        close(&self.pool).await;
    }

    /// How long a connection is used at most.
    #[must_use]
    pub fn connection_lifetime(&self) -> Option<Duration> {
        self.pool.options().get_max_lifetime()
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, PgError> {
        Ok(self.pool.begin_with(BEGIN).await?)
    }

    async fn find_work(&self, limit: usize) -> Result<Option<PgClaim>, StoreError> {
        let mut lanes = self.lookout.look(&self.pool).await?;
        while !lanes.is_empty() {
            let mut transaction = self.begin().await?;
            let most = self.breadth.lanes(limit);
            let locked = LockedLane::lock(&mut transaction, &lanes, most).await?;
            if locked.is_empty() {
                transaction.rollback().await.map_err(PgError::from)?;
                break;
            }
            lanes.retain(|(lane, _)| locked.iter().all(|locked| locked.lane != *lane));
            // With room left for more, the other lanes are in somebody else's hands.
            let lanes_left = locked.len() == most && !lanes.is_empty();
            let room = Room {
                records: (limit / locked.len()).max(1),
                bytes: (self.claim_bytes / locked.len()).max(1),
            };
            let (claim, full) = claim_locked(transaction, locked, room, lanes_left).await?;
            if !claim.records().is_empty() {
                self.breadth.lanes_were_full(full);
                return Ok(Some(claim));
            }
            // Nothing to publish: all that can be done for these lanes is done here and now.
            let goes_on = full && claim.advances();
            claim.write(&[]).await?;
            if goes_on {
                lanes = self.lookout.look(&self.pool).await?;
            }
        }
        Ok(None)
    }
}

impl Outbox for PgOutbox {
    type Claim = PgClaim;

    async fn claim(&self, limit: usize) -> Result<Option<PgClaim>, StoreError> {
        in_time(self.find_work(limit)).await
    }
}

/// Reads the lanes and decides what to do in each, which has `room`; says whether there was more in one
/// than that.
async fn claim_locked(
    mut transaction: Transaction<'static, Postgres>,
    locked: Vec<LockedLane>,
    room: Room,
    lanes_left: bool,
) -> Result<(PgClaim, bool), StoreError> {
    let sights = LockedLane::read(&locked, &mut transaction, room).await?;
    let mut full = sights.iter().any(|sight| sight.fills(room));
    let mut plans = Vec::with_capacity(locked.len());
    for (lane, sight) in locked.into_iter().zip(sights) {
        let plan = Plan::of(lane.through, sight, room);
        full |= plan.fills(room);
        plans.push((lane.lane, plan));
    }
    Ok((PgClaim::of(transaction, plans, full || lanes_left), full))
}
