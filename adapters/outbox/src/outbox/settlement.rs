//! Decides what a claim stores when it ends. This module does no input or output.

use std::collections::BTreeSet;
use std::time::Duration;

use application::relay::{OutboxRecord, Verdict};
use sqlx::types::Uuid;

use super::gap::{Gap, GapChange, GapRows};
use super::plan::{LanePlan, Origin};

/// Delay after the first failure. It doubles with each further failure.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// Maximum delay after a failure.
const MAX_DELAY: Duration = Duration::from_mins(5);

/// All changes that a claim stores for a lane when it ends.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settlement {
    /// The new cursor of the lane.
    pub(super) through: i64,
    /// Stragglers to delete.
    pub(super) deleted: Vec<i64>,
    /// Late stragglers that get the id of this claim as their horizon.
    pub(super) set_horizon: Vec<i64>,
    /// Stragglers to insert or replace.
    pub(super) stragglers: Vec<StragglerRow>,
    /// Wide gaps to insert: first and last position of each.
    pub(super) new_gaps: Vec<(i64, i64)>,
    /// Changes to the gaps that the lane had before.
    pub(super) gap_changes: Vec<GapChange>,
    /// New dead letters: the index among the lane's records, and the reason.
    pub(super) dead: Vec<(usize, String)>,
}

/// A straggler to insert, or to replace the one at the same position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StragglerRow {
    pub(super) position: i64,
    pub(super) reason: &'static str,
    pub(super) aggregate_id: Option<Uuid>,
    pub(super) attempts: i32,
    pub(super) delay: Duration,
    pub(super) last_error: Option<String>,
}

impl Settlement {
    /// The changes that follow from the verdicts on the plan's records. A record without a verdict
    /// counts as unsent.
    pub(super) fn new(plan: &LanePlan, records: &[OutboxRecord], verdicts: &[Verdict]) -> Self {
        let verdict = |index: usize| verdicts.get(index).unwrap_or(&Verdict::Unsent);
        let through = new_cursor(plan, records, verdict);
        let mut settlement = Self {
            through,
            deleted: plan.gone.clone(),
            set_horizon: plan.set_horizon.clone(),
            ..Self::default()
        };
        for &position in plan.late.iter().filter(|&&position| position <= through) {
            settlement.stragglers.push(StragglerRow::due(position, "late", None));
        }
        settlement.new_gaps =
            plan.new_gaps.iter().filter(|(_, last)| *last <= through).copied().collect();
        for &(position, aggregate) in plan.held.iter().filter(|(position, _)| *position <= through)
        {
            settlement.stragglers.push(StragglerRow::due(position, "held", Some(aggregate)));
        }
        for (index, record) in records.iter().enumerate() {
            let origin = plan.origins[index];
            let is_straggler = matches!(origin, Origin::Straggler(_));
            match verdict(index) {
                Verdict::Published if is_straggler => {
                    settlement.deleted.push(record.position);
                }
                Verdict::Unsent if origin == Origin::New && record.position <= through => {
                    let held =
                        StragglerRow::due(record.position, "held", Some(record.aggregate_id));
                    settlement.stragglers.push(held);
                }
                // The new cursor or the change of the gap stores this.
                Verdict::Published | Verdict::Unsent => {}
                Verdict::Failed(why) => {
                    let failures = match origin {
                        Origin::Straggler(failures) => failures,
                        Origin::New | Origin::Gap => 0,
                    };
                    settlement.stragglers.push(StragglerRow {
                        position: record.position,
                        reason: "failed",
                        aggregate_id: Some(record.aggregate_id),
                        attempts: failures.saturating_add(1),
                        delay: delay_after(failures),
                        last_error: Some(why.clone()),
                    });
                }
                Verdict::Refused(why) => {
                    if is_straggler {
                        settlement.deleted.push(record.position);
                    }
                    settlement.dead.push((index, why.clone()));
                }
            }
        }
        let rows = gap_rows(plan, records, verdict);
        let change = |gap: &Gap| gap.change(plan.through, &rows);
        settlement.gap_changes = plan.gaps.iter().filter_map(change).collect();
        settlement
    }

    /// Whether it changes nothing in the lane.
    pub(super) fn is_empty(&self, plan: &LanePlan) -> bool {
        *self == Self { through: plan.through, ..Self::default() }
    }
}

impl StragglerRow {
    /// A straggler that has not failed and is due at once.
    fn due(position: i64, reason: &'static str, aggregate_id: Option<Uuid>) -> Self {
        let (attempts, delay, last_error) = (0, Duration::ZERO, None);
        Self { position, reason, aggregate_id, attempts, delay, last_error }
    }
}

/// The rows that were read in gaps, and whether each stays in its gap.
fn gap_rows<'v>(
    plan: &LanePlan,
    records: &[OutboxRecord],
    verdict: impl Fn(usize) -> &'v Verdict,
) -> GapRows {
    let settled =
        |&index: &usize| plan.origins[index] == Origin::Gap && *verdict(index) != Verdict::Unsent;
    let mut leaving: BTreeSet<i64> =
        (0..records.len()).filter(settled).map(|index| records[index].position).collect();
    leaving.extend(plan.held.iter().map(|(position, _)| position));
    let staying = plan.gap_records.iter().filter(|position| !leaving.contains(position)).copied();
    GapRows { staying: staying.collect(), leaving, read_to: plan.gaps_read_to }
}

/// The new cursor. It moves to just before the new records at the end of the claim that were not
/// sent; if there are none, to the target of the plan.
fn new_cursor<'v>(
    plan: &LanePlan,
    records: &[OutboxRecord],
    verdict: impl Fn(usize) -> &'v Verdict,
) -> i64 {
    let first_unsent = (0..records.len())
        .rev()
        .take_while(|&index| {
            plan.origins[index] == Origin::New && *verdict(index) == Verdict::Unsent
        })
        .last();
    match first_unsent {
        Some(index) => records[index].position - 1,
        None => plan.target,
    }
}

/// The delay after one more failure than `failures`.
fn delay_after(failures: i32) -> Duration {
    let doublings = u32::try_from(failures).unwrap_or(0).min(16);
    (FIRST_DELAY * 2_u32.pow(doublings)).min(MAX_DELAY)
}
