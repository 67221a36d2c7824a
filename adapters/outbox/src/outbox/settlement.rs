//! What is noted when a claim ends. No input or output here either.

use std::collections::BTreeSet;
use std::time::Duration;

use application::relay::{OutboxRecord, Verdict};
use sqlx::types::Uuid;

use super::gap::{Arrivals, Gap, GapChange};
use super::plan::{Origin, Plan};

/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Everything a settled claim writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settlement {
    /// Where the lane's cursor stands from now on.
    pub(super) through: i64,
    /// Stragglers that are none any more.
    pub(super) resolved: Vec<i64>,
    /// Late stragglers whose horizon is this claim.
    pub(super) stamped: Vec<i64>,
    /// New or changed stragglers.
    pub(super) noted: Vec<Note>,
    /// New gaps, first and last position of each.
    pub(super) opened: Vec<(i64, i64)>,
    /// What becomes of the gaps that were there.
    pub(super) gaps: Vec<GapChange>,
    /// Dead letters: the place among the lane's records, and why.
    pub(super) dead: Vec<(usize, String)>,
}

/// A straggler to be noted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    pub(super) position: i64,
    pub(super) reason: &'static str,
    pub(super) aggregate_id: Option<Uuid>,
    pub(super) attempts: i32,
    pub(super) wait: Duration,
    pub(super) last_error: Option<String>,
}

impl Settlement {
    /// What follows from the verdicts on the plan's records; a record without one counts as unsent.
    pub(super) fn of(plan: &Plan, records: &[OutboxRecord], verdicts: &[Verdict]) -> Self {
        let verdict = |index: usize| verdicts.get(index).unwrap_or(&Verdict::Unsent);
        let through = reach(plan, records, verdict);
        let mut settlement = Self {
            through,
            resolved: plan.gone.clone(),
            stamped: plan.stamped.clone(),
            ..Self::default()
        };
        for &position in plan.late.iter().filter(|&&position| position <= through) {
            settlement.noted.push(Note::waiting(position, "late", None));
        }
        settlement.opened =
            plan.opened.iter().filter(|(_, last)| *last <= through).copied().collect();
        for &(position, order) in plan.held.iter().filter(|(position, _)| *position <= through) {
            settlement.noted.push(Note::waiting(position, "held", Some(order)));
        }
        for (index, record) in records.iter().enumerate() {
            let origin = plan.origins[index];
            let is_straggler = matches!(origin, Origin::Straggler(_));
            match verdict(index) {
                Verdict::Published if is_straggler => {
                    settlement.resolved.push(record.position);
                }
                Verdict::Unsent if origin == Origin::Fresh && record.position <= through => {
                    let note = Note::waiting(record.position, "held", Some(record.aggregate_id));
                    settlement.noted.push(note);
                }
                // The cursor tells it all, or the gap.
                Verdict::Published | Verdict::Unsent => {}
                Verdict::Failed(why) => {
                    let failures = match origin {
                        Origin::Straggler(failures) => failures,
                        Origin::Fresh | Origin::Gap => 0,
                    };
                    settlement.noted.push(Note {
                        position: record.position,
                        reason: "failed",
                        aggregate_id: Some(record.aggregate_id),
                        attempts: failures.saturating_add(1),
                        wait: wait_after(failures),
                        last_error: Some(why.clone()),
                    });
                }
                Verdict::Refused(why) => {
                    if is_straggler {
                        settlement.resolved.push(record.position);
                    }
                    settlement.dead.push((index, why.clone()));
                }
            }
        }
        let arrivals = arrivals(plan, records, verdict);
        let change = |gap: &Gap| gap.change(plan.through, &arrivals);
        settlement.gaps = plan.gaps.iter().filter_map(change).collect();
        settlement
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self, plan: &Plan) -> bool {
        *self == Self { through: plan.through, ..Self::default() }
    }
}

impl Note {
    fn waiting(position: i64, reason: &'static str, aggregate_id: Option<Uuid>) -> Self {
        let (attempts, wait, last_error) = (0, Duration::ZERO, None);
        Self { position, reason, aggregate_id, attempts, wait, last_error }
    }
}

/// What became of the rows that were seen in gaps.
fn arrivals<'v>(
    plan: &Plan,
    records: &[OutboxRecord],
    verdict: impl Fn(usize) -> &'v Verdict,
) -> Arrivals {
    let settled =
        |&index: &usize| plan.origins[index] == Origin::Gap && *verdict(index) != Verdict::Unsent;
    let mut done: BTreeSet<i64> =
        (0..records.len()).filter(settled).map(|index| records[index].position).collect();
    done.extend(plan.held.iter().map(|(position, _)| position));
    let waiting = plan.arrivals.iter().filter(|position| !done.contains(position)).copied();
    Arrivals { waiting: waiting.collect(), done, seen_to: plan.seen_to }
}

/// How far the cursor moves: up to the last fresh record behind which nothing was touched.
fn reach<'v>(plan: &Plan, records: &[OutboxRecord], verdict: impl Fn(usize) -> &'v Verdict) -> i64 {
    let untouched = (0..records.len())
        .rev()
        .take_while(|&index| {
            plan.origins[index] == Origin::Fresh && *verdict(index) == Verdict::Unsent
        })
        .last();
    match untouched {
        Some(index) => records[index].position - 1,
        None => plan.frontier,
    }
}

/// The wait after one more failure than `failures`.
fn wait_after(failures: i32) -> Duration {
    let doublings = u32::try_from(failures).unwrap_or(0).min(16);
    (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT)
}
