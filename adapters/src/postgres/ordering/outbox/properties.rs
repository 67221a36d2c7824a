//! Rules that hold for every plan and every settlement, whatever was read and whatever came of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use application::relay::{OutboxRecord, Verdict};
use domain::{EventId, OrderId, OrderVersion, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::plan::{Fresh, Plan, Room, Sight, Straggler};
use super::settlement::Settlement;

const THROUGH: i64 = 20;

/// A position: before the cursor a straggler or processed, behind it a row or a gap.
#[derive(Debug, Clone, Copy)]
struct Slot {
    order: u8,
    kind: u8,
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
        order_id: OrderId::new(Uuid::from_u128(order.into())),
        order_version: OrderVersion::FIRST,
        event_type: "OrderCreated".to_owned(),
        schema_fingerprint: Vec::new(),
        payload: vec![0; usize::from(order) * 10],
        headers: Vec::new(),
        occurred_at: Timestamp::from_micros(0).unwrap(),
    }
}

/// The first 20 positions lie before the cursor, the others behind it.
fn read(slots: &[Slot]) -> (Vec<Straggler>, Vec<Fresh>) {
    let (mut stragglers, mut fresh) = (Vec::new(), Vec::new());
    for (position, slot) in (1..).zip(slots) {
        let record = record(position, slot.order);
        if position <= THROUGH {
            let sight = match slot.kind {
                0 => Sight::Due(record),
                1 => Sight::Waiting(record.order_id),
                2 => Sight::Missing { stamp: slot.order == 0 },
                3 => Sight::Gone,
                _ => continue,
            };
            stragglers.push(Straggler { position, attempts: 1, sight });
        } else if slot.kind > 1 {
            fresh.push(Fresh { record, ripe: slot.kind > 2, dead: slot.kind == 7 });
        }
    }
    (stragglers, fresh)
}

proptest! {
    #[test]
    fn what_is_handed_out_is_in_order_and_behind_nothing_of_its_order_that_is_not(
        slots in slots(),
        room in room(),
    ) {
        let (stragglers, fresh) = read(&slots);
        let plan = Plan::of(THROUGH, stragglers.clone(), fresh.clone(), room);
        prop_assert!(plan.records.len() <= room.records);
        let all_but_last = plan.records.iter().rev().skip(1);
        prop_assert!(all_but_last.map(|record| record.payload.len()).sum::<usize>() < room.bytes);
        prop_assert!(plan.records.is_sorted_by_key(|record| record.position));
        prop_assert_eq!(plan.records.len(), plan.attempts.len());
        let taken: HashSet<i64> = plan.records.iter().map(|record| record.position).collect();
        let mut seen: Vec<(i64, OrderId)> = Vec::new();
        for Straggler { position, sight, .. } in stragglers {
            if let Sight::Due(OutboxRecord { order_id, .. }) | Sight::Waiting(order_id) = sight {
                seen.push((position, order_id));
            }
        }
        let living = fresh.into_iter().filter(|fresh| !fresh.dead).map(|fresh| fresh.record);
        seen.extend(living.map(|record| (record.position, record.order_id)));
        let mut passed_over = HashSet::new();
        for (position, order_id) in seen {
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
        let (stragglers, fresh) = read(&slots);
        let dead: BTreeSet<i64> =
            fresh.iter().filter(|f| f.dead).map(|f| f.record.position).collect();
        let before: BTreeSet<i64> = stragglers.iter().map(|s| s.position).collect();
        let plan = Plan::of(THROUGH, stragglers, fresh, room);
        let settlement = Settlement::of(&plan, &plan.records, &verdicts);
        let noted: BTreeSet<i64> = settlement.noted.iter().map(|note| note.position).collect();
        let outcome: HashMap<i64, &Verdict> = plan
            .records
            .iter()
            .enumerate()
            .map(|(index, record)| {
                (record.position, verdicts.get(index).unwrap_or(&Verdict::Unsent))
            })
            .collect();
        let done = |position| {
            matches!(outcome.get(&position), Some(Verdict::Published | Verdict::Refused(_)))
        };

        prop_assert!((plan.through..=plan.frontier).contains(&settlement.through));
        for position in THROUGH + 1..=settlement.through {
            let told = usize::from(done(position))
                + usize::from(noted.contains(&position))
                + usize::from(dead.contains(&position));
            prop_assert_eq!(told, 1, "position {}", position);
        }
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
}
