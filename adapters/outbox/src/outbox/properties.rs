//! Property tests: rules that hold for every plan and settlement, for all lanes, limits and
//! verdicts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use application::relay::{OutboxRecord, Verdict};
use domain::{EventId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::gap::Gap;
use super::plan::{LanePlan, LaneSnapshot, Limits, NewRecord, Straggler, StragglerState};
use super::settlement::Settlement;

const THROUGH: i64 = 20;

/// Width of a wide gap above the cursor.
const WIDE: i64 = 150;

/// A position. At or below the cursor it is a straggler, in a gap, or processed; above the cursor
/// it is a row or a gap. `kind` decides which.
#[derive(Debug, Clone, Copy)]
struct Slot {
    aggregate: u8,
    kind: u8,
}

/// A generated lane, and what a claim reads of it.
#[derive(Debug, Default)]
struct TestLane {
    snapshot: LaneSnapshot,
    /// The aggregate of each row that is neither processed nor dead.
    rows: BTreeMap<i64, Uuid>,
    /// Dead letters above the cursor.
    dead: BTreeSet<i64>,
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let slot = (0_u8..5, 0_u8..8).prop_map(|(aggregate, kind)| Slot { aggregate, kind });
    prop::collection::vec(slot, 40)
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let verdict = prop_oneof![
        Just(Verdict::Published),
        Just(Verdict::Unsent),
        Just(Verdict::Failed("no".to_owned())),
        Just(Verdict::Refused("never".to_owned())),
    ];
    prop::collection::vec(verdict, 0..40)
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_usize..30, 1_usize..600).prop_map(|(records, bytes)| Limits { records, bytes })
}

fn record(position: i64, aggregate: u8) -> OutboxRecord {
    OutboxRecord {
        lane: 0,
        position,
        event_id: EventId::new(Uuid::from_u128(position.unsigned_abs().into())),
        aggregate_id: Uuid::from_u128(aggregate.into()),
        aggregate_version: 1,
        event_type: "OrderCreated".to_owned(),
        schema_fingerprint: Vec::new(),
        payload: vec![0; usize::from(aggregate) * 10],
        headers: Vec::new(),
        occurred_at: Timestamp::from_micros(0).unwrap(),
    }
}

/// Builds a lane. The first 20 slots are at or below the cursor, the others above it.
fn read(slots: &[Slot], limits: Limits) -> TestLane {
    let mut lane = TestLane::default();
    let (below, above) = slots.split_at(20);
    let mut in_gaps = Vec::new();
    for (position, &slot) in (1..).zip(below) {
        let record = record(position, slot.aggregate);
        let state = match slot.kind {
            0 => StragglerState::Due(record.clone()),
            1 => StragglerState::Waiting(record.aggregate_id),
            2 => StragglerState::Missing { set_horizon: slot.aggregate == 0 },
            3 => StragglerState::Gone,
            4..=6 => {
                lane.widen_gap(position, slot);
                if slot.kind != 5 {
                    lane.rows.insert(position, record.aggregate_id);
                    in_gaps.push(record);
                }
                continue;
            }
            _ => continue,
        };
        if slot.kind < 2 {
            lane.rows.insert(position, record.aggregate_id);
        }
        lane.snapshot.stragglers.push(Straggler { position, attempts: 1, state });
    }
    let mut bytes = 0;
    for record in in_gaps {
        if !limits.are_reached(lane.snapshot.gap_records.len(), bytes) {
            bytes += record.payload.len();
            lane.snapshot.gap_records.push(record);
        }
    }
    let mut position = THROUGH;
    for slot in above {
        position += 1;
        match slot.kind {
            0 => {}
            1 => position += WIDE - 1,
            kind => {
                let (record, dead) = (record(position, slot.aggregate), kind == 7);
                if dead {
                    lane.dead.insert(position);
                } else {
                    lane.rows.insert(position, record.aggregate_id);
                }
                lane.snapshot.new_records.push(NewRecord { record, may_skip_gap: kind > 2, dead });
            }
        }
    }
    lane
}

impl TestLane {
    fn widen_gap(&mut self, position: i64, slot: Slot) {
        match self.snapshot.gaps.last_mut() {
            Some(gap) if gap.last == position - 1 => gap.last = position,
            _ => self.snapshot.gaps.push(Gap {
                first: position,
                last: position,
                proved: slot.aggregate.is_multiple_of(2),
                set_horizon: slot.aggregate % 2 == 1,
            }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_claim_has_its_records_in_order_and_none_after_an_unclaimed_one_of_its_aggregate(
        slots in slots(),
        limits in limits(),
    ) {
        let lane = read(&slots, limits);
        let plan = LanePlan::new(THROUGH, lane.snapshot, limits);
        prop_assert!(plan.records.len() <= limits.records);
        let all_but_last = plan.records.iter().rev().skip(1);
        prop_assert!(all_but_last.map(|record| record.payload.len()).sum::<usize>() < limits.bytes);
        prop_assert!(plan.records.is_sorted_by_key(|record| record.position));
        prop_assert_eq!(plan.records.len(), plan.origins.len());
        let claimed: HashSet<i64> = plan.records.iter().map(|record| record.position).collect();
        let mut unclaimed = HashSet::new();
        for (position, aggregate) in lane.rows {
            if claimed.contains(&position) {
                prop_assert!(!unclaimed.contains(&aggregate), "{position} overtakes");
            } else {
                unclaimed.insert(aggregate);
            }
        }
    }

    #[test]
    fn the_cursor_moves_only_past_positions_that_are_settled_or_recorded(
        slots in slots(),
        limits in limits(),
        verdicts in verdicts(),
    ) {
        let TestLane { snapshot, dead, .. } = read(&slots, limits);
        let before: BTreeSet<i64> = snapshot.stragglers.iter().map(|s| s.position).collect();
        let plan = LanePlan::new(THROUGH, snapshot, limits);
        let settlement = Settlement::new(&plan, &plan.records, &verdicts);
        let stragglers: BTreeSet<i64> = settlement.stragglers.iter().map(|s| s.position).collect();
        let outcome = outcome(&plan, &verdicts);
        let settled = |position| {
            matches!(outcome.get(&position), Some(Verdict::Published | Verdict::Refused(_)))
        };

        prop_assert!((plan.through..=plan.target).contains(&settlement.through));
        for position in THROUGH + 1..=settlement.through {
            let in_a_gap = |&&(first, last): &&(i64, i64)| (first..=last).contains(&position);
            let places = usize::from(settled(position))
                + usize::from(stragglers.contains(&position))
                + usize::from(dead.contains(&position))
                + settlement.new_gaps.iter().filter(in_a_gap).count();
            prop_assert_eq!(places, 1, "position {}", position);
        }
        prop_assert!(settlement.new_gaps.iter().all(|(_, last)| *last <= settlement.through));
        for (&position, verdict) in &outcome {
            let sent = **verdict != Verdict::Unsent;
            prop_assert!(!sent || position <= settlement.through, "{} is forgotten", position);
        }
        prop_assert!(stragglers.iter().all(|&position| position <= settlement.through));
        for position in before {
            let deleted = settlement.deleted.contains(&position);
            let expected = settled(position) || plan.gone.contains(&position);
            prop_assert_eq!(deleted, expected, "straggler {}", position);
        }
        if plan.records.iter().enumerate().all(|(i, _)| verdicts.get(i).is_none_or(|v| *v == Verdict::Unsent)) {
            prop_assert!(settlement.dead.is_empty());
        }
    }

    #[test]
    fn a_position_leaves_its_gap_only_if_it_is_settled_recorded_or_proved_missing(
        slots in slots(),
        limits in limits(),
        verdicts in verdicts(),
    ) {
        let TestLane { snapshot, rows, .. } = read(&slots, limits);
        let gaps = snapshot.gaps.clone();
        let plan = LanePlan::new(THROUGH, snapshot, limits);
        let settlement = Settlement::new(&plan, &plan.records, &verdicts);
        let stragglers: BTreeSet<i64> = settlement.stragglers.iter().map(|s| s.position).collect();
        let outcome = outcome(&plan, &verdicts);
        for gap in gaps {
            let change = settlement.gap_changes.iter().find(|change| change.first == gap.first);
            let unchanged = [(gap.first, gap.last)];
            let remaining = change.map_or(&unchanged[..], |change| &change.remaining);
            prop_assert!(remaining.iter().all(|(first, last)| first <= last));
            let set_horizon = change.is_some_and(|change| change.set_horizon);
            prop_assert!(gap.proved || remaining.is_empty() || set_horizon == gap.set_horizon);
            for position in gap.first..=gap.last {
                let stays = remaining.iter().filter(|(first, last)| (*first..=*last).contains(&position));
                let stays = stays.count();
                prop_assert!(stays <= 1, "{} stays twice", position);
                let straggler = stragglers.contains(&position);
                let settled = matches!(
                    outcome.get(&position), Some(Verdict::Published | Verdict::Refused(_)));
                if rows.contains_key(&position) {
                    let places = stays + usize::from(straggler) + usize::from(settled);
                    prop_assert_eq!(places, 1, "row {}", position);
                } else {
                    prop_assert!(!straggler && !settled, "{} has no row", position);
                    prop_assert!(stays == 1 || gap.proved, "{} may still appear", position);
                    prop_assert!(stays == 1 || position <= plan.gaps_read_to, "{} was not read", position);
                }
            }
        }
    }
}

/// The verdict on each record of the plan, by position.
fn outcome<'v>(plan: &LanePlan, verdicts: &'v [Verdict]) -> HashMap<i64, &'v Verdict> {
    let verdict = |index: usize| verdicts.get(index).unwrap_or(&Verdict::Unsent);
    let records = plan.records.iter().enumerate();
    records.map(|(index, record)| (record.position, verdict(index))).collect()
}
