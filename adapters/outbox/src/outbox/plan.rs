//! What a claim does with what it read. No input or output here: a rule of the protocol each.

use std::collections::HashSet;

use application::relay::OutboxRecord;
use sqlx::types::Uuid;

use super::gap::{Gap, is_wide};

/// Above so many stragglers a lane reads nothing new: something is wrong for all of its events.
pub(super) const MOST_STRAGGLERS: usize = 10_000;

/// How much a claim takes of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// So many records at the most.
    pub(super) records: usize,
    /// None beyond so many bytes of payloads.
    pub(super) bytes: usize,
}

impl Room {
    /// Whether records of this number and size leave no room for another.
    pub(super) const fn is_taken(self, records: usize, bytes: usize) -> bool {
        records >= self.records || bytes >= self.bytes
    }
}

/// A straggler of the lane, as one snapshot shows it.
#[derive(Debug, Clone)]
pub(super) struct Straggler {
    pub(super) position: i64,
    /// How often publishing it failed.
    pub(super) attempts: i32,
    pub(super) sight: Sight,
}

/// What there is to see of a straggler.
#[derive(Debug, Clone)]
pub(super) enum Sight {
    /// Its row, to be published now.
    Due(OutboxRecord),
    /// Its row, to be tried again later: until then it holds up its order.
    Waiting(Uuid),
    /// No row yet. `stamp`: this claim may put its own id down as the horizon.
    Missing { stamp: bool },
    /// No row, and there will never be one.
    Gone,
}

/// A row behind the lane's cursor, as the same snapshot shows it.
#[derive(Debug, Clone)]
pub(super) struct Fresh {
    pub(super) record: OutboxRecord,
    /// Whether it is so old that a gap before it need not be waited for.
    pub(super) ripe: bool,
    /// Whether it is a dead letter, which happens after a replay.
    pub(super) dead: bool,
}

/// What there is to see of a lane.
#[derive(Debug, Clone, Default)]
pub(super) struct LaneSight {
    /// Its stragglers, by position.
    pub(super) stragglers: Vec<Straggler>,
    /// Its wide gaps, by position.
    pub(super) gaps: Vec<Gap>,
    /// Rows that came in these gaps, by position: as many as there is room for.
    pub(super) arrivals: Vec<OutboxRecord>,
    /// The rows behind its cursor, by position: as many as there is room for.
    pub(super) fresh: Vec<Fresh>,
}

impl LaneSight {
    /// Whether there may be more behind the cursor, or in the gaps, than there was room for.
    pub(super) fn fills(&self, room: Room) -> bool {
        let bytes = self.fresh.iter().map(|fresh| fresh.record.payload.len()).sum();
        room.is_taken(self.fresh.len(), bytes) || self.arrivals_fill(room)
    }

    fn arrivals_fill(&self, room: Room) -> bool {
        let bytes = self.arrivals.iter().map(|record| record.payload.len()).sum();
        room.is_taken(self.arrivals.len(), bytes)
    }
}

/// Where the lane has a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Behind its cursor.
    Fresh,
    /// Among its stragglers; publishing it failed so often.
    Straggler(i32),
    /// In one of its gaps.
    Gap,
}

/// What is to be published, and what is to be noted beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Where the lane's cursor stands.
    pub(super) through: i64,
    /// Where it stands once all of this is settled.
    pub(super) frontier: i64,
    /// What to publish, by position.
    pub(super) records: Vec<OutboxRecord>,
    /// How many bytes their payloads have.
    bytes: usize,
    /// Where the lane has each record.
    pub(super) origins: Vec<Origin>,
    /// Stragglers that will never come, or are no more.
    pub(super) gone: Vec<i64>,
    /// Late stragglers whose horizon is this claim.
    pub(super) stamped: Vec<i64>,
    /// Missing positions that the cursor steps over.
    pub(super) late: Vec<i64>,
    /// Wide gaps that the cursor steps over, first and last position of each.
    pub(super) opened: Vec<(i64, i64)>,
    /// Rows that are noted as held, because they wait behind an earlier event of their order: the
    /// cursor passes them, or they leave their gap.
    pub(super) held: Vec<(i64, Uuid)>,
    /// The gaps that the lane has.
    pub(super) gaps: Vec<Gap>,
    /// Positions of the rows that were seen in these gaps.
    pub(super) arrivals: Vec<i64>,
    /// Up to here all rows in these gaps were seen.
    pub(super) seen_to: i64,
}

impl Plan {
    /// Decides what there is room for.
    pub(super) fn of(through: i64, sight: LaneSight, room: Room) -> Self {
        let full = sight.stragglers.len() >= MOST_STRAGGLERS;
        let cut = sight.arrivals_fill(room);
        let LaneSight { stragglers, gaps, arrivals, fresh } = sight;
        let mut plan = Self {
            through,
            frontier: through,
            gaps,
            arrivals: arrivals.iter().map(|record| record.position).collect(),
            ..Self::default()
        };
        // The orders of rows in the gaps that were not seen are not known: nothing behind the last one
        // that was seen may be published before them.
        plan.seen_to = plan.arrivals.last().copied().filter(|_| cut).unwrap_or(i64::MAX);
        let blocked = plan.take_passed(stragglers, arrivals, room);
        if !full && !cut {
            plan.take_fresh(fresh, &blocked, room);
        }
        plan
    }

    /// Whether it takes as much as there is room for.
    pub(super) fn fills(&self, room: Room) -> bool {
        room.is_taken(self.records.len(), self.bytes)
    }

    /// Takes what is due of what the cursor has passed, by position. The orders whose earliest event
    /// there is not taken must wait and are returned.
    fn take_passed(
        &mut self,
        stragglers: Vec<Straggler>,
        arrivals: Vec<OutboxRecord>,
        room: Room,
    ) -> HashSet<Uuid> {
        let mut blocked = HashSet::new();
        let mut arrivals = arrivals.into_iter().peekable();
        for Straggler { position, attempts, sight } in stragglers {
            while let Some(record) = arrivals.next_if(|record| record.position < position) {
                self.take_arrival(record, &mut blocked, room);
            }
            match sight {
                Sight::Due(record)
                    if position <= self.seen_to
                        && !self.fills(room)
                        && !blocked.contains(&record.aggregate_id) =>
                {
                    self.take(record, Origin::Straggler(attempts));
                }
                Sight::Due(OutboxRecord { aggregate_id, .. }) | Sight::Waiting(aggregate_id) => {
                    blocked.insert(aggregate_id);
                }
                Sight::Missing { stamp: true } => self.stamped.push(position),
                Sight::Missing { stamp: false } => {}
                Sight::Gone => self.gone.push(position),
            }
        }
        for record in arrivals {
            self.take_arrival(record, &mut blocked, room);
        }
        blocked
    }

    fn take_arrival(&mut self, record: OutboxRecord, blocked: &mut HashSet<Uuid>, room: Room) {
        if blocked.contains(&record.aggregate_id) {
            // Else it would take the room of others for as long as it waits.
            self.held.push((record.position, record.aggregate_id));
        } else if self.fills(room) {
            blocked.insert(record.aggregate_id);
        } else {
            self.take(record, Origin::Gap);
        }
    }

    /// Takes the rows behind the cursor, up to the first gap that must still be waited for.
    fn take_fresh(&mut self, fresh: Vec<Fresh>, blocked: &HashSet<Uuid>, room: Room) {
        for Fresh { record, ripe, dead } in fresh {
            if self.fills(room) || !self.step_over_gap(record.position, ripe, room.records) {
                return;
            }
            self.frontier = record.position;
            if dead {
                // An operator decides about it, not the relay.
            } else if blocked.contains(&record.aggregate_id) {
                self.held.push((record.position, record.aggregate_id));
            } else {
                self.take(record, Origin::Fresh);
            }
        }
    }

    /// Whether everything before `position` is settled or noted, so that it may be looked at.
    fn step_over_gap(&mut self, position: i64, ripe: bool, limit: usize) -> bool {
        let (first, last) = (self.frontier + 1, position - 1);
        if first > last {
            return true;
        }
        if !ripe || self.late.len() >= limit {
            return false;
        }
        if is_wide(first, last) {
            self.opened.push((first, last));
        } else {
            self.late.extend(first..=last);
        }
        self.frontier = last;
        true
    }

    fn take(&mut self, record: OutboxRecord, origin: Origin) {
        self.bytes += record.payload.len();
        self.records.push(record);
        self.origins.push(origin);
    }
}
