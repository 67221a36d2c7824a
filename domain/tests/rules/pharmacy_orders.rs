//! The pharmacy's order: however its events arrive, the same events make the same order.

use domain::pharmacy::{
    Contents, PharmacyOrder, PharmacyStatus, RequestedItem, RequestedMedication,
};
use domain::{OrderId, OrderVersion, Outcome, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generators as arbitrary;

#[derive(Debug, Clone)]
enum Told {
    Created(OrderVersion, Contents),
    Cancelled(OrderVersion, String, Timestamp),
}

impl Told {
    fn to(&self, order: &mut PharmacyOrder) -> Outcome {
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

/// What ordering tells of one order, at any two versions in any order: other events, of which the
/// pharmacy knows nothing yet, may lie before, between and behind.
fn told() -> impl Strategy<Value = Vec<Told>> {
    (
        arbitrary::version(),
        arbitrary::version(),
        contents(),
        any::<String>(),
        arbitrary::timestamp(),
    )
        .prop_filter("two versions", |(created, cancelled, ..)| created != cancelled)
        .prop_map(|(created, cancelled, contents, reason, at)| {
            vec![Told::Created(created, contents), Told::Cancelled(cancelled, reason, at)]
        })
}

/// Some of what was told, in any order, any of it again and again.
fn arrival() -> impl Strategy<Value = (Vec<Told>, Vec<Index>)> {
    (told(), prop::collection::vec(any::<Index>(), 0..8))
}

fn empty_order() -> PharmacyOrder {
    PharmacyOrder::new(OrderId::new(uuid::Uuid::from_u128(7)))
}

/// The latest version and the number missing before it, counted anew.
fn counted(told: &[&Told]) -> (Option<i64>, i64) {
    let mut versions: Vec<i64> = told.iter().map(|told| told.version()).collect();
    versions.sort_unstable();
    versions.dedup();
    let latest = versions.last().copied();
    let heard = i64::try_from(versions.len()).unwrap();
    (latest, latest.map_or(0, |latest| latest - heard))
}

proptest! {
    #[test]
    fn any_sequence_and_repetition_of_the_same_events_makes_the_same_order(
        (told, arrival) in arrival(),
    ) {
        let mut order = empty_order();
        for index in &arrival {
            let _ = index.get(&told).to(&mut order);
        }
        // The same events, once each and in the order of their versions.
        let arrived: std::collections::BTreeSet<usize> =
            arrival.iter().map(|index| index.index(told.len())).collect();
        let mut once: Vec<&Told> = arrived.into_iter().map(|index| &told[index]).collect();
        once.sort_by_key(|told| told.version());
        let mut straight = empty_order();
        for told in &once {
            prop_assert_eq!(told.to(&mut straight), Outcome::Applied);
        }
        prop_assert_eq!(order, straight);
    }

    #[test]
    fn the_versions_missing_are_those_before_the_latest_that_were_not_told(
        (told, arrival) in arrival(),
    ) {
        let mut order = empty_order();
        let mut heard = Vec::new();
        for index in &arrival {
            heard.push(index.get(&told));
            let _ = index.get(&told).to(&mut order);
            let state = order.snapshot();
            let found = (state.version.map(OrderVersion::get), state.missing);
            prop_assert_eq!(found, counted(&heard));
        }
    }

    #[test]
    fn a_repeat_changes_nothing_and_says_so((told, arrival) in arrival()) {
        let mut order = empty_order();
        for index in &arrival {
            let told = index.get(&told);
            let _ = told.to(&mut order);
            let before = order.clone();
            prop_assert_eq!(told.to(&mut order), Outcome::AlreadyApplied);
            prop_assert_eq!(&order, &before);
        }
    }

    #[test]
    fn a_cancelled_order_stays_cancelled_and_still_learns_its_contents(told in told()) {
        let mut order = empty_order();
        for told in told.iter().rev() {
            prop_assert_eq!(told.to(&mut order), Outcome::Applied);
            let cancelled = matches!(order.snapshot().status, PharmacyStatus::Cancelled { .. });
            prop_assert!(cancelled);
        }
        prop_assert!(order.snapshot().contents.is_some());
    }

    #[test]
    fn a_stored_order_is_restored_as_it_was((told, arrival) in arrival()) {
        let mut order = empty_order();
        for index in &arrival {
            let _ = index.get(&told).to(&mut order);
        }
        prop_assert_eq!(PharmacyOrder::restore(order.snapshot().clone()), order);
    }
}
