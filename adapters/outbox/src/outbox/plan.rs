//! Decides what a claim does with the rows that it has read. This module does no input or output;
//! each function is a rule of the protocol.

use std::collections::HashSet;

use application::relay::OutboxRecord;
use sqlx::types::Uuid;

use super::gap::{Gap, is_wide};

/// A lane with this many stragglers reads no new records: all its events probably have one problem.
pub(super) const MAX_STRAGGLERS: usize = 10_000;

/// Maximum number and size of the records that a claim takes from a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Maximum number of records.
    pub(super) records: usize,
    /// Maximum total size of the payloads. The last record may exceed it.
    pub(super) bytes: usize,
}

impl Limits {
    /// Whether no further record may be added to records of this number and total size.
    pub(super) const fn are_reached(self, records: usize, bytes: usize) -> bool {
        records >= self.records || bytes >= self.bytes
    }
}

/// A straggler of the lane, as one snapshot shows it.
#[derive(Debug, Clone)]
pub(super) struct Straggler {
    pub(super) position: i64,
    /// How often publishing it has failed.
    pub(super) attempts: i32,
    pub(super) state: StragglerState,
}

/// What the snapshot shows of a straggler.
#[derive(Debug, Clone)]
pub(super) enum StragglerState {
    /// It has a row, which is due.
    Due(OutboxRecord),
    /// It has a row, which is not due yet, waits for an earlier straggler, or exceeds the limits.
    /// Later events of this aggregate have to wait.
    Waiting(Uuid),
    /// It has no row yet. With `set_horizon`, this claim may store its own id as the horizon.
    Missing { set_horizon: bool },
    /// It has no row, and no row can appear any more.
    Gone,
}

/// A row above the lane's cursor, as the same snapshot shows it.
#[derive(Debug, Clone)]
pub(super) struct NewRecord {
    pub(super) record: OutboxRecord,
    /// Whether it is so old that the cursor may move past a gap before it.
    pub(super) may_skip_gap: bool,
    /// Whether it is a dead letter. This is possible after a replay.
    pub(super) dead: bool,
}

/// What one snapshot shows of a lane.
#[derive(Debug, Clone, Default)]
pub(super) struct LaneSnapshot {
    /// Its stragglers, by position.
    pub(super) stragglers: Vec<Straggler>,
    /// Its wide gaps, by position.
    pub(super) gaps: Vec<Gap>,
    /// The rows in these gaps, by position, up to the limits.
    pub(super) gap_records: Vec<OutboxRecord>,
    /// The rows above its cursor, by position, up to the limits.
    pub(super) new_records: Vec<NewRecord>,
}

impl LaneSnapshot {
    /// Whether the lane may have more rows above the cursor or in the gaps than the snapshot
    /// contains.
    pub(super) fn reaches(&self, limits: Limits) -> bool {
        let bytes = self.new_records.iter().map(|new| new.record.payload.len()).sum();
        limits.are_reached(self.new_records.len(), bytes) || self.gap_records_reach(limits)
    }

    fn gap_records_reach(&self, limits: Limits) -> bool {
        let bytes = self.gap_records.iter().map(|record| record.payload.len()).sum();
        limits.are_reached(self.gap_records.len(), bytes)
    }
}

/// Where a record of a claim was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Above the cursor.
    New,
    /// Among the stragglers, with the number of failures so far.
    Straggler(i32),
    /// In a wide gap.
    Gap,
}

/// What a claim does in a lane: the records to publish, and the changes to store with the result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LanePlan {
    /// The lane's cursor.
    pub(super) through: i64,
    /// The lane's cursor after all records of the plan are settled.
    pub(super) target: i64,
    /// The records to publish, by position.
    pub(super) records: Vec<OutboxRecord>,
    /// The total size of their payloads.
    bytes: usize,
    /// Where each record was found.
    pub(super) origins: Vec<Origin>,
    /// Stragglers to delete: they have no row and will never have one.
    pub(super) gone: Vec<i64>,
    /// Late stragglers that get the id of this claim as their horizon.
    pub(super) set_horizon: Vec<i64>,
    /// Missing positions that the cursor moves past. They become late stragglers.
    pub(super) late: Vec<i64>,
    /// Wide gaps that the cursor moves past: first and last position of each.
    pub(super) new_gaps: Vec<(i64, i64)>,
    /// Rows that have to wait for an earlier event of their aggregate. They become held stragglers
    /// when the cursor moves past them, or when they leave their gap.
    pub(super) held: Vec<(i64, Uuid)>,
    /// The wide gaps of the lane.
    pub(super) gaps: Vec<Gap>,
    /// Positions of the rows that were read in these gaps.
    pub(super) gap_records: Vec<i64>,
    /// All rows in these gaps up to this position were read.
    pub(super) gaps_read_to: i64,
}

impl LanePlan {
    /// Plans what to do in a lane with its cursor at `through`, within these limits.
    pub(super) fn new(through: i64, snapshot: LaneSnapshot, limits: Limits) -> Self {
        let too_many_stragglers = snapshot.stragglers.len() >= MAX_STRAGGLERS;
        let gaps_cut_off = snapshot.gap_records_reach(limits);
        let LaneSnapshot { stragglers, gaps, gap_records, new_records } = snapshot;
        let mut plan = Self {
            through,
            target: through,
            gaps,
            gap_records: gap_records.iter().map(|record| record.position).collect(),
            ..Self::default()
        };
        // The aggregates of the gap rows that were not read are unknown. So nothing above the last
        // row that was read may be published before them.
        let last_read = plan.gap_records.last().copied();
        plan.gaps_read_to = last_read.filter(|_| gaps_cut_off).unwrap_or(i64::MAX);
        let blocked = plan.take_stragglers_and_gap_records(stragglers, gap_records, limits);
        if !too_many_stragglers && !gaps_cut_off {
            plan.take_new_records(new_records, &blocked, limits);
        }
        plan
    }

    /// Whether no further record may be added.
    pub(super) fn reaches(&self, limits: Limits) -> bool {
        limits.are_reached(self.records.len(), self.bytes)
    }

    /// Takes the due records at or below the cursor, by position. Returns the aggregates that have
    /// a record there that was not taken: their later records have to wait.
    fn take_stragglers_and_gap_records(
        &mut self,
        stragglers: Vec<Straggler>,
        gap_records: Vec<OutboxRecord>,
        limits: Limits,
    ) -> HashSet<Uuid> {
        let mut blocked = HashSet::new();
        let mut gap_records = gap_records.into_iter().peekable();
        for Straggler { position, attempts, state } in stragglers {
            while let Some(record) = gap_records.next_if(|record| record.position < position) {
                self.take_gap_record(record, &mut blocked, limits);
            }
            match state {
                StragglerState::Due(record)
                    if position <= self.gaps_read_to
                        && !self.reaches(limits)
                        && !blocked.contains(&record.aggregate_id) =>
                {
                    self.take(record, Origin::Straggler(attempts));
                }
                StragglerState::Due(OutboxRecord { aggregate_id, .. })
                | StragglerState::Waiting(aggregate_id) => {
                    blocked.insert(aggregate_id);
                }
                StragglerState::Missing { set_horizon: true } => self.set_horizon.push(position),
                StragglerState::Missing { set_horizon: false } => {}
                StragglerState::Gone => self.gone.push(position),
            }
        }
        for record in gap_records {
            self.take_gap_record(record, &mut blocked, limits);
        }
        blocked
    }

    fn take_gap_record(
        &mut self,
        record: OutboxRecord,
        blocked: &mut HashSet<Uuid>,
        limits: Limits,
    ) {
        if blocked.contains(&record.aggregate_id) {
            // As a held straggler it does not count towards the limit of rows that are read in
            // gaps.
            self.held.push((record.position, record.aggregate_id));
        } else if self.reaches(limits) {
            blocked.insert(record.aggregate_id);
        } else {
            self.take(record, Origin::Gap);
        }
    }

    /// Takes the rows above the cursor, up to the first gap that the cursor may not move past yet.
    fn take_new_records(
        &mut self,
        new_records: Vec<NewRecord>,
        blocked: &HashSet<Uuid>,
        limits: Limits,
    ) {
        for NewRecord { record, may_skip_gap, dead } in new_records {
            if self.reaches(limits) || !self.skip_gap(record.position, may_skip_gap, limits.records)
            {
                return;
            }
            self.target = record.position;
            if dead {
                // Only an operator decides about a dead letter. The cursor just moves past it.
            } else if blocked.contains(&record.aggregate_id) {
                self.held.push((record.position, record.aggregate_id));
            } else {
                self.take(record, Origin::New);
            }
        }
    }

    /// Moves the cursor to just before `position` and records a gap in between. Returns `false` if
    /// the cursor may not move past the gap yet.
    fn skip_gap(&mut self, position: i64, may_skip_gap: bool, limit: usize) -> bool {
        let (first, last) = (self.target + 1, position - 1);
        if first > last {
            return true;
        }
        if !may_skip_gap || self.late.len() >= limit {
            return false;
        }
        if is_wide(first, last) {
            self.new_gaps.push((first, last));
        } else {
            self.late.extend(first..=last);
        }
        self.target = last;
        true
    }

    fn take(&mut self, record: OutboxRecord, origin: Origin) {
        self.bytes += record.payload.len();
        self.records.push(record);
        self.origins.push(origin);
    }
}
