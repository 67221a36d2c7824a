//! Property tests of the pharmacy's order: the same events lead to the same order, in any sequence.

use domain::pharmacy::{
    Contents, PharmacyOrder, PharmacyStatus, RequestedItem, RequestedMedication,
};
use domain::{OrderId, OrderVersion, Outcome, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generators as arbitrary;

#[derive(Debug, Clone)]
enum Event {
    Created(OrderVersion, Contents),
    Cancelled(OrderVersion, String, Timestamp),
}

impl Event {
    fn apply_to(&self, order: &mut PharmacyOrder) -> Outcome {
        match self.clone() {
            Self::Created(version, contents) => order.order_created(version, contents),
            Self::Cancelled(version, reason, at) => order.order_cancelled(version, reason, at),
        }
    }

    fn version(&self) -> i64 {
        match self {
            Self::Created(version, _) | Self::Cancelled(version, ..) => version.get(),
        }
    }
}

fn contents() -> impl Strategy<Value = Contents> {
    let medication = (any::<String>(), any::<String>(), any::<Option<String>>())
        .prop_map(|(system, code, display)| RequestedMedication { system, code, display });
    let item = (any::<i64>(), any::<i32>(), prop::option::of(medication)).prop_map(
        |(product_id, quantity, medication)| RequestedItem { product_id, quantity, medication },
    );
    let items = prop::collection::vec(item, 0..4);
    (any::<String>(), items, any::<Option<String>>(), arbitrary::timestamp()).prop_map(
        |(customer_name, items, note, ordered_at)| Contents {
            customer_name,
            items,
            note,
            ordered_at,
        },
    )
}

/// The two events of one order, at any two versions. Events that the pharmacy does not know yet may
/// have the versions before, between and after them.
fn events() -> impl Strategy<Value = Vec<Event>> {
    (
        arbitrary::version(),
        arbitrary::version(),
        contents(),
        any::<String>(),
        arbitrary::timestamp(),
    )
        .prop_filter("two versions", |(created, cancelled, ..)| created != cancelled)
        .prop_map(|(created, cancelled, contents, reason, at)| {
            vec![Event::Created(created, contents), Event::Cancelled(cancelled, reason, at)]
        })
}

/// The events of one order and the sequence in which they arrive: some may be missing or repeated.
fn arrival() -> impl Strategy<Value = (Vec<Event>, Vec<Index>)> {
    (events(), prop::collection::vec(any::<Index>(), 0..8))
}

fn empty_order() -> PharmacyOrder {
    PharmacyOrder::new(OrderId::new(uuid::Uuid::from_u128(7)))
}

/// The latest version and the number of versions missing before it, computed from the list.
fn expected_versions(received: &[&Event]) -> (Option<i64>, i64) {
    let mut versions: Vec<i64> = received.iter().map(|event| event.version()).collect();
    versions.sort_unstable();
    versions.dedup();
    let latest = versions.last().copied();
    let count = i64::try_from(versions.len()).unwrap();
    (latest, latest.map_or(0, |latest| latest - count))
}

proptest! {
    #[test]
    fn the_same_events_in_any_sequence_and_repeated_lead_to_the_same_order(
        (events, arrival) in arrival(),
    ) {
        let mut order = empty_order();
        for index in &arrival {
            let _ = index.get(&events).apply_to(&mut order);
        }
        // The same events, once each and in the order of their versions.
        let arrived: std::collections::BTreeSet<usize> =
            arrival.iter().map(|index| index.index(events.len())).collect();
        let mut once: Vec<&Event> = arrived.into_iter().map(|index| &events[index]).collect();
        once.sort_by_key(|event| event.version());
        let mut in_sequence = empty_order();
        for event in &once {
            prop_assert_eq!(event.apply_to(&mut in_sequence), Outcome::Applied);
        }
        prop_assert_eq!(order, in_sequence);
    }

    #[test]
    fn versions_before_the_latest_that_were_not_received_are_counted_as_missing(
        (events, arrival) in arrival(),
    ) {
        let mut order = empty_order();
        let mut received = Vec::new();
        for index in &arrival {
            received.push(index.get(&events));
            let _ = index.get(&events).apply_to(&mut order);
            let state = order.snapshot();
            let found = (state.version.map(OrderVersion::get), state.missing);
            prop_assert_eq!(found, expected_versions(&received));
        }
    }

    #[test]
    fn a_repeated_event_is_already_applied_and_changes_nothing((events, arrival) in arrival()) {
        let mut order = empty_order();
        for index in &arrival {
            let event = index.get(&events);
            let _ = event.apply_to(&mut order);
            let before = order.clone();
            prop_assert_eq!(event.apply_to(&mut order), Outcome::AlreadyApplied);
            prop_assert_eq!(&order, &before);
        }
    }

    #[test]
    fn a_cancelled_order_stays_cancelled_when_its_contents_arrive(events in events()) {
        let mut order = empty_order();
        for event in events.iter().rev() {
            prop_assert_eq!(event.apply_to(&mut order), Outcome::Applied);
            let cancelled = matches!(order.snapshot().status, PharmacyStatus::Cancelled { .. });
            prop_assert!(cancelled);
        }
        prop_assert!(order.snapshot().contents.is_some());
    }

    #[test]
    fn restoring_a_snapshot_gives_the_same_order((events, arrival) in arrival()) {
        let mut order = empty_order();
        for index in &arrival {
            let _ = index.get(&events).apply_to(&mut order);
        }
        prop_assert_eq!(PharmacyOrder::restore(order.snapshot().clone()), order);
    }
}
