//! What a claim does with what it read. No input or output here: a rule of the protocol each.

use std::collections::HashSet;

use application::relay::OutboxRecord;
use domain::OrderId;

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
    Waiting(OrderId),
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
    /// For each record: how often it failed, if it is a straggler.
    pub(super) attempts: Vec<Option<i32>>,
    /// Stragglers that will never come, or are no more.
    pub(super) gone: Vec<i64>,
    /// Late stragglers whose horizon is this claim.
    pub(super) stamped: Vec<i64>,
    /// Missing positions that the cursor steps over.
    pub(super) late: Vec<i64>,
    /// Rows that the cursor passes although they wait behind an earlier event of their order.
    pub(super) held: Vec<(i64, OrderId)>,
}

impl Plan {
    /// Decides what there is room for. Both lists ascend by position.
    pub(super) fn of(
        through: i64,
        stragglers: Vec<Straggler>,
        fresh: Vec<Fresh>,
        room: Room,
    ) -> Self {
        let mut plan = Self { through, frontier: through, ..Self::default() };
        let full = stragglers.len() >= MOST_STRAGGLERS;
        let blocked = plan.take_stragglers(stragglers, room);
        if !full {
            plan.take_fresh(fresh, &blocked, room);
        }
        plan
    }

    /// Whether it takes as much as there is room for.
    pub(super) fn fills(&self, room: Room) -> bool {
        room.is_taken(self.records.len(), self.bytes)
    }

    /// Takes what is due; the orders whose earliest straggler is not must wait and are returned.
    fn take_stragglers(&mut self, stragglers: Vec<Straggler>, room: Room) -> HashSet<OrderId> {
        let mut blocked = HashSet::new();
        for Straggler { position, attempts, sight } in stragglers {
            match sight {
                Sight::Due(record) if !self.fills(room) && !blocked.contains(&record.order_id) => {
                    self.take(record, Some(attempts));
                }
                Sight::Due(OutboxRecord { order_id, .. }) | Sight::Waiting(order_id) => {
                    blocked.insert(order_id);
                }
                Sight::Missing { stamp: true } => self.stamped.push(position),
                Sight::Missing { stamp: false } => {}
                Sight::Gone => self.gone.push(position),
            }
        }
        blocked
    }

    /// Takes the rows behind the cursor, up to the first gap that must still be waited for.
    fn take_fresh(&mut self, fresh: Vec<Fresh>, blocked: &HashSet<OrderId>, room: Room) {
        for Fresh { record, ripe, dead } in fresh {
            if self.fills(room) || !self.step_over_gap(record.position, ripe, room.records) {
                return;
            }
            self.frontier = record.position;
            if dead {
                // An operator decides about it, not the relay.
            } else if blocked.contains(&record.order_id) {
                self.held.push((record.position, record.order_id));
            } else {
                self.take(record, None);
            }
        }
    }

    /// Whether everything before `position` is settled or noted, so that it may be looked at.
    fn step_over_gap(&mut self, position: i64, ripe: bool, limit: usize) -> bool {
        let gap = self.frontier + 1..position;
        if !gap.is_empty() && !ripe {
            return false;
        }
        for missing in gap {
            if self.late.len() >= limit {
                return false;
            }
            self.late.push(missing);
            self.frontier = missing;
        }
        true
    }

    fn take(&mut self, record: OutboxRecord, attempts: Option<i32>) {
        self.bytes += record.payload.len();
        self.records.push(record);
        self.attempts.push(attempts);
    }
}
