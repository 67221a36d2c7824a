//! Property tests of the pharmacy's order: what ordering tells leads to the same order, in any
//! sequence, and commands of pharmacists may come at any time.

use std::collections::{BTreeMap, BTreeSet};

use domain::pharmacy::{
    Cancellation, Command, CommandError, Contents, PharmacyEvent, PharmacyFact, PharmacyOrder,
    Rejection, RejectionCode, RejectionText, RequestedItem, RequestedMedication, WorkStatus,
};
use domain::{EventId, EventStamp, OrderId, OrderVersion, Outcome, REDACTED_TEXT, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generators as arbitrary;

#[derive(Debug, Clone)]
enum Event {
    Created(OrderVersion, Contents),
    /// `OrderCancellationRequested` or `OrderCancelled`.
    CancellationTold(OrderVersion, Cancellation),
    Other(OrderVersion),
    Redacted(OrderVersion),
}

impl Event {
    fn apply_to(&self, order: &mut PharmacyOrder) -> Outcome {
        match self.clone() {
            Self::Created(version, contents) => order.order_created(version, contents),
            Self::CancellationTold(version, cancellation) => {
                order.cancellation_told(version, cancellation, event_stamp(version.get()))
            }
            Self::Other(version) => order.order_changed(version),
            Self::Redacted(version) => order.order_redacted(version),
        }
    }

    fn version(&self) -> i64 {
        match self {
            Self::Created(version, _)
            | Self::CancellationTold(version, _)
            | Self::Other(version)
            | Self::Redacted(version) => version.get(),
        }
    }
}

fn event_stamp(number: i64) -> EventStamp {
    let event_id = EventId::new(uuid::Uuid::from_u128(u128::try_from(number).unwrap()));
    EventStamp { event_id, at: Timestamp::from_micros(number % 1_000_000).unwrap() }
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

/// Events of one order, at any versions: its creation, a request to cancel it and its cancellation
/// with the same reason, its redaction, and others.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let versions = prop::collection::btree_set(arbitrary::version(), 6)
        .prop_map(Vec::from_iter)
        .prop_shuffle();
    let times = [arbitrary::timestamp(), arbitrary::timestamp()];
    (versions, contents(), any::<String>(), times).prop_map(
        |(versions, contents, reason, times)| {
            let told = |at| Cancellation { reason: reason.clone(), at };
            vec![
                Event::Created(versions[0], contents),
                Event::CancellationTold(versions[1], told(times[0])),
                Event::CancellationTold(versions[2], told(times[1])),
                Event::Other(versions[3]),
                Event::Other(versions[4]),
                Event::Redacted(versions[5]),
            ]
        },
    )
}

/// The events of one order and the sequence in which they arrive: some may be missing or repeated.
fn arrival() -> impl Strategy<Value = (Vec<Event>, Vec<Index>)> {
    (events(), prop::collection::vec(any::<Index>(), 0..12))
}

fn empty_order() -> PharmacyOrder {
    PharmacyOrder::new(OrderId::new(uuid::Uuid::from_u128(7)))
}

fn told(events: &[Event], arrival: &[Index]) -> PharmacyOrder {
    let mut order = empty_order();
    for index in arrival {
        let _ = index.get(events).apply_to(&mut order);
    }
    order
}

/// The latest version and the number of versions missing before it, computed from the list.
fn expected_versions(received: &[&Event]) -> (Option<i64>, i64) {
    let versions: BTreeSet<i64> = received.iter().map(|event| event.version()).collect();
    let latest = versions.last().copied();
    let count = i64::try_from(versions.len()).unwrap();
    (latest, latest.map_or(0, |latest| latest - count))
}

/// Whether the order has none of the texts of people.
fn is_redacted(order: &PharmacyOrder) -> bool {
    let told = order.snapshot();
    let statuses = order.work().history.iter().map(|change| &change.status);
    told.contents.as_ref().is_none_or(|it| it.customer_name == REDACTED_TEXT && it.note.is_none())
        && told.cancellation.as_ref().is_none_or(|it| it.reason == REDACTED_TEXT)
        && statuses.chain([order.status()]).all(|status| match status {
            WorkStatus::Rejected(rejection) => rejection.text == RejectionText::redacted(),
            _ => true,
        })
}

fn command() -> impl Strategy<Value = Command> {
    prop::sample::select(vec![
        Command::Confirm,
        Command::Start,
        Command::MarkReady,
        Command::Dispense,
    ])
}

proptest! {
    #[test]
    fn the_same_events_in_any_sequence_and_repeated_lead_to_the_same_order(
        (events, arrival) in arrival(),
    ) {
        let order = told(&events, &arrival);
        // The same events, once each and in the order of their versions.
        let once: BTreeMap<i64, &Event> = arrival
            .iter()
            .map(|index| index.get(&events))
            .map(|event| (event.version(), event))
            .collect();
        let mut in_sequence = empty_order();
        for event in once.values() {
            prop_assert_eq!(event.apply_to(&mut in_sequence), Outcome::Applied);
        }
        prop_assert_eq!(order.snapshot(), in_sequence.snapshot());
        prop_assert_eq!(order.status(), in_sequence.status());
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
            let versions = &order.snapshot().versions;
            let found = (versions.latest().map(OrderVersion::get), versions.missing());
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
    fn a_whole_replay_changes_nothing_whatever_pharmacists_did(
        (events, arrival) in arrival(),
        commands in prop::collection::vec(command(), 0..6),
    ) {
        let mut order = told(&events, &arrival);
        for command in commands {
            let _ = order.carry_out(command, event_stamp(1));
        }
        let before = order.clone();
        for index in &arrival {
            let outcome = index.get(&events).apply_to(&mut order);
            prop_assert_eq!(outcome, Outcome::AlreadyApplied);
        }
        prop_assert_eq!(order, before);
    }

    #[test]
    fn a_cancelled_order_stays_cancelled_when_its_contents_arrive(events in events()) {
        let mut order = empty_order();
        for event in events.iter().rev() {
            prop_assert_eq!(event.apply_to(&mut order), Outcome::Applied);
        }
        prop_assert_eq!(order.status(), &WorkStatus::Cancelled);
        prop_assert!(order.snapshot().contents.is_some());
        prop_assert!(order.snapshot().cancellation.is_some());
    }

    #[test]
    fn a_redacted_order_has_no_texts_of_people_in_whatever_sequence_events_and_commands_come(
        (events, arrival) in arrival(),
        reject_at in any::<Index>(),
        redacted_at in any::<Index>(),
    ) {
        let version = OrderVersion::try_from(i64::MAX).unwrap();
        let rejection = Rejection { code: RejectionCode::Other, text: "for Ada".parse().unwrap() };
        let recovered = PharmacyEvent {
            id: event_stamp(9).event_id,
            occurred_at: event_stamp(9).at,
            order_id: empty_order().id(),
            version: OrderVersion::try_from(1_000).unwrap(),
            fact: PharmacyFact::Rejected(rejection.clone()),
        };
        let mut order = empty_order();
        let steps = arrival.len() + 1;
        let mut redacted = false;
        for step in 0..steps {
            if step == redacted_at.index(steps) {
                let _ = order.order_redacted(version);
            }
            if step == reject_at.index(steps) {
                let before = order.recorded().len();
                let rejected = order.carry_out(Command::Reject(rejection.clone()), event_stamp(8));
                if order.snapshot().redacted && rejected.is_ok_and(Outcome::is_applied) {
                    let text = RejectionText::redacted();
                    let fact = PharmacyFact::Rejected(Rejection { text, ..rejection.clone() });
                    prop_assert_eq!(&order.recorded()[before].fact, &fact);
                }
                let _ = order.recover(&recovered);
            }
            if let Some(index) = arrival.get(step) {
                let _ = index.get(&events).apply_to(&mut order);
            }
            redacted |= step >= redacted_at.index(steps);
            prop_assert!(!redacted || is_redacted(&order), "{order:?}");
        }
        prop_assert!(order.snapshot().redacted);
    }

    #[test]
    fn a_repeated_rejection_of_a_redacted_order_is_recognised(contents in contents()) {
        let rejection = Rejection { code: RejectionCode::Other, text: "for Ada".parse().unwrap() };
        let reject = Command::Reject(rejection);
        let mut order = empty_order();
        let _ = order.order_created(OrderVersion::FIRST, contents);
        prop_assert_eq!(order.carry_out(reject.clone(), event_stamp(1)), Ok(Outcome::Applied));
        prop_assert_eq!(order.order_redacted(OrderVersion::FIRST.next()), Outcome::Applied);
        prop_assert_eq!(order.carry_out(reject, event_stamp(2)), Ok(Outcome::AlreadyApplied));
        prop_assert!(is_redacted(&order));
    }

    #[test]
    fn a_cancellation_after_the_order_was_dispensed_is_declined(contents in contents()) {
        let mut order = empty_order();
        let _ = order.order_created(OrderVersion::FIRST, contents);
        for command in [Command::Confirm, Command::Start, Command::MarkReady, Command::Dispense] {
            prop_assert_eq!(order.carry_out(command, event_stamp(1)), Ok(Outcome::Applied));
        }
        let (order_version, at) = (OrderVersion::FIRST.next(), event_stamp(2).at);
        let cancellation = Cancellation { reason: "too late".to_owned(), at };
        let _ = order.cancellation_told(order_version, cancellation, event_stamp(2));
        prop_assert_eq!(order.status(), &WorkStatus::Dispensed);
        let declined = PharmacyFact::CancellationDeclined { order_version };
        prop_assert_eq!(order.recorded().last().map(|event| &event.fact), Some(&declined));
    }

    #[test]
    fn no_command_is_carried_out_before_the_contents_are_known(command in command()) {
        let mut order = empty_order();
        let refused = order.carry_out(command, event_stamp(1));
        prop_assert_eq!(refused, Err(CommandError::ContentsUnknown));
        prop_assert_eq!(order, empty_order());
    }

    #[test]
    fn restoring_a_snapshot_gives_the_same_order((events, arrival) in arrival()) {
        let order = told(&events, &arrival);
        let restored = PharmacyOrder::restore(order.snapshot().clone(), order.work().clone());
        prop_assert_eq!(restored, order.saved());
    }
}
