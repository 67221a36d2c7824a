//! Rules that hold for every plan and every settlement, whatever was read and whatever came of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use application::relay::{OutboxRecord, Verdict};
use domain::{EventId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::gap::Gap;
use super::plan::{Fresh, LaneSight, Plan, Room, Sight, Straggler};
use super::settlement::Settlement;

const THROUGH: i64 = 20;

/// How many positions are missing in a wide gap behind the cursor.
const WIDE: i64 = 150;

/// A position: before the cursor a straggler, in a gap or processed, behind it a row or a gap.
#[derive(Debug, Clone, Copy)]
struct Slot {
    order: u8,
    kind: u8,
}

/// A lane as it is, and what a claim with this room sees of it.
#[derive(Debug, Default)]
struct Lane {
    sight: LaneSight,
    /// The order of each row that is not processed and not dead.
    rows: BTreeMap<i64, Uuid>,
    /// Dead letters behind the cursor.
    dead: BTreeSet<i64>,
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let slot = (0_u8..5, 0_u8..8).prop_map(|(order, kind)| Slot { order, kind });
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

fn room() -> impl Strategy<Value = Room> {
    (1_usize..30, 1_usize..600).prop_map(|(records, bytes)| Room { records, bytes })
}

fn record(position: i64, order: u8) -> OutboxRecord {
    OutboxRecord {
        lane: 0,
        position,
        event_id: EventId::new(Uuid::from_u128(position.unsigned_abs().into())),
        aggregate_id: Uuid::from_u128(order.into()),
        aggregate_version: 1,
        event_type: "OrderCreated".to_owned(),
        schema_fingerprint: Vec::new(),
        payload: vec![0; usize::from(order) * 10],
        headers: Vec::new(),
        occurred_at: Timestamp::from_micros(0).unwrap(),
    }
}

/// The first 20 positions lie before the cursor, the others behind it.
fn read(slots: &[Slot], room: Room) -> Lane {
    let mut lane = Lane::default();
    let (passed, behind) = slots.split_at(20);
    let mut arrived = Vec::new();
    for (position, &slot) in (1..).zip(passed) {
        let record = record(position, slot.order);
        let sight = match slot.kind {
            0 => Sight::Due(record.clone()),
            1 => Sight::Waiting(record.aggregate_id),
            2 => Sight::Missing { stamp: slot.order == 0 },
            3 => Sight::Gone,
            4..=6 => {
                lane.widen_gap(position, slot);
                if slot.kind != 5 {
                    lane.rows.insert(position, record.aggregate_id);
                    arrived.push(record);
                }
                continue;
            }
            _ => continue,
        };
        if slot.kind < 2 {
            lane.rows.insert(position, record.aggregate_id);
        }
        lane.sight.stragglers.push(Straggler { position, attempts: 1, sight });
    }
    let mut bytes = 0;
    for record in arrived {
        if !room.is_taken(lane.sight.arrivals.len(), bytes) {
            bytes += record.payload.len();
            lane.sight.arrivals.push(record);
        }
    }
    let mut position = THROUGH;
    for slot in behind {
        position += 1;
        match slot.kind {
            0 => {}
            1 => position += WIDE - 1,
            kind => {
                let (record, dead) = (record(position, slot.order), kind == 7);
                if dead {
                    lane.dead.insert(position);
                } else {
                    lane.rows.insert(position, record.aggregate_id);
                }
                lane.sight.fresh.push(Fresh { record, ripe: kind > 2, dead });
            }
        }
    }
    lane
}

impl Lane {
    fn widen_gap(&mut self, position: i64, slot: Slot) {
        match self.sight.gaps.last_mut() {
            Some(gap) if gap.last == position - 1 => gap.last = position,
            _ => self.sight.gaps.push(Gap {
                first: position,
                last: position,
                proved: slot.order.is_multiple_of(2),
                stamp: slot.order % 2 == 1,
            }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_handed_out_is_in_order_and_behind_nothing_of_its_order_that_is_not(
        slots in slots(),
        room in room(),
    ) {
        let lane = read(&slots, room);
        let plan = Plan::of(THROUGH, lane.sight, room);
        prop_assert!(plan.records.len() <= room.records);
        let all_but_last = plan.records.iter().rev().skip(1);
        prop_assert!(all_but_last.map(|record| record.payload.len()).sum::<usize>() < room.bytes);
        prop_assert!(plan.records.is_sorted_by_key(|record| record.position));
        prop_assert_eq!(plan.records.len(), plan.origins.len());
        let taken: HashSet<i64> = plan.records.iter().map(|record| record.position).collect();
        let mut passed_over = HashSet::new();
        for (position, order_id) in lane.rows {
            if taken.contains(&position) {
                prop_assert!(!passed_over.contains(&order_id), "{position} overtakes");
            } else {
                passed_over.insert(order_id);
            }
        }
    }

    #[test]
    fn the_cursor_passes_nothing_that_is_not_settled_or_noted(
        slots in slots(),
        room in room(),
        verdicts in verdicts(),
    ) {
        let Lane { sight, dead, .. } = read(&slots, room);
        let before: BTreeSet<i64> = sight.stragglers.iter().map(|s| s.position).collect();
        let plan = Plan::of(THROUGH, sight, room);
        let settlement = Settlement::of(&plan, &plan.records, &verdicts);
        let noted: BTreeSet<i64> = settlement.noted.iter().map(|note| note.position).collect();
        let outcome = outcome(&plan, &verdicts);
        let done = |position| {
            matches!(outcome.get(&position), Some(Verdict::Published | Verdict::Refused(_)))
        };

        prop_assert!((plan.through..=plan.frontier).contains(&settlement.through));
        for position in THROUGH + 1..=settlement.through {
            let in_a_gap = |&&(first, last): &&(i64, i64)| (first..=last).contains(&position);
            let told = usize::from(done(position))
                + usize::from(noted.contains(&position))
                + usize::from(dead.contains(&position))
                + settlement.opened.iter().filter(in_a_gap).count();
            prop_assert_eq!(told, 1, "position {}", position);
        }
        prop_assert!(settlement.opened.iter().all(|(_, last)| *last <= settlement.through));
        for (&position, verdict) in &outcome {
            let touched = **verdict != Verdict::Unsent;
            prop_assert!(!touched || position <= settlement.through, "{} is forgotten", position);
        }
        prop_assert!(noted.iter().all(|&position| position <= settlement.through));
        for position in before {
            let dropped = settlement.resolved.contains(&position);
            let expected = done(position) || plan.gone.contains(&position);
            prop_assert_eq!(dropped, expected, "straggler {}", position);
        }
        if plan.records.iter().enumerate().all(|(i, _)| verdicts.get(i).is_none_or(|v| *v == Verdict::Unsent)) {
            prop_assert!(settlement.dead.is_empty());
        }
    }

    #[test]
    fn a_position_leaves_its_gap_only_when_it_is_settled_noted_or_proved_never_to_come(
        slots in slots(),
        room in room(),
        verdicts in verdicts(),
    ) {
        let Lane { sight, rows, .. } = read(&slots, room);
        let gaps = sight.gaps.clone();
        let plan = Plan::of(THROUGH, sight, room);
        let settlement = Settlement::of(&plan, &plan.records, &verdicts);
        let noted: BTreeSet<i64> = settlement.noted.iter().map(|note| note.position).collect();
        let outcome = outcome(&plan, &verdicts);
        for gap in gaps {
            let change = settlement.gaps.iter().find(|change| change.first == gap.first);
            let as_it_was = [(gap.first, gap.last)];
            let pieces = change.map_or(&as_it_was[..], |change| &change.pieces);
            prop_assert!(pieces.iter().all(|(first, last)| first <= last));
            prop_assert!(gap.proved || pieces.is_empty() || change.is_some_and(|c| c.stamp) == gap.stamp);
            for position in gap.first..=gap.last {
                let stays = pieces.iter().filter(|(first, last)| (*first..=*last).contains(&position));
                let stays = stays.count();
                prop_assert!(stays <= 1, "{} stays twice", position);
                let noted = noted.contains(&position);
                let settled = matches!(
                    outcome.get(&position), Some(Verdict::Published | Verdict::Refused(_)));
                if rows.contains_key(&position) {
                    let told = stays + usize::from(noted) + usize::from(settled);
                    prop_assert_eq!(told, 1, "row {}", position);
                } else {
                    prop_assert!(!noted && !settled, "{} is no row", position);
                    prop_assert!(stays == 1 || gap.proved, "{} may still come", position);
                    prop_assert!(stays == 1 || position <= plan.seen_to, "{} was not seen", position);
                }
            }
        }
    }
}

/// What became of each record that was handed out.
fn outcome<'v>(plan: &Plan, verdicts: &'v [Verdict]) -> HashMap<i64, &'v Verdict> {
    let verdict = |index: usize| verdicts.get(index).unwrap_or(&Verdict::Unsent);
    let records = plan.records.iter().enumerate();
    records.map(|(index, record)| (record.position, verdict(index))).collect()
}
