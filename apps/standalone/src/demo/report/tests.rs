//! What the demo reports: each kind of fault in otherwise correct results.

mod outgoing;

use std::collections::HashMap;
use std::time::Duration;

use chrono::DateTime;
use uuid::Uuid;

use super::{Check, Observed, Report};
use crate::demo::addressee::Addressee;
use crate::demo::customer::{CancelAnswer, PlacedOrder};
use crate::demo::letters::{Letter, Letters};
use crate::demo::load::Placed;
use crate::demo::pharmacist::Work;
use crate::demo::reader::{Change, Notification, Order, PharmacyOrder, Seen};
use crate::demo::topic::{EventsByOrder, TopicEvent};
use crate::demo::webhook::Calls;

const CANCELLED: Uuid = Uuid::from_u128(1);

/// The results for three orders: one is cancelled, one completed, one rejected. Their customers want all
/// letters, all except one, and have no contact.
struct Results {
    placed: Placed,
    seen: HashMap<Uuid, Seen>,
    ordering: EventsByOrder,
    pharmacy: EventsByOrder,
    letters: Result<Letters, String>,
    calls: Result<Calls, String>,
}

fn correct_results() -> Results {
    let mut results = Results {
        placed: Placed::default(),
        seen: HashMap::new(),
        ordering: EventsByOrder::new(),
        pharmacy: EventsByOrder::new(),
        letters: Ok(Letters::new()),
        calls: Ok(Calls::default()),
    };
    for (id, addressee, ours, theirs) in [
        (
            CANCELLED,
            Addressee(2),
            &["created", "cancellation_requested", "cancelled"][..],
            &["cancelled"][..],
        ),
        (
            Uuid::from_u128(2),
            Addressee(5),
            &["created", "confirmed", "ready", "completed"],
            &["confirmed", "in_preparation", "ready", "dispensed"],
        ),
        (Uuid::from_u128(3), Addressee(0), &["created", "rejected"], &["rejected"]),
    ] {
        results.placed.orders.push(PlacedOrder {
            id,
            created_at_micros: 0,
            post: Duration::from_millis(5),
            cancellation: (id == CANCELLED).then_some(CancelAnswer::Asked),
            addressee: Some(addressee),
        });
        let events = i64::try_from(ours.len()).unwrap();
        let order = Order { status: last(ours), version: events, history: history(ours, 150) };
        let answers = i64::try_from(theirs.len()).unwrap();
        let pharmacy = PharmacyOrder {
            status: last(theirs),
            pharmacy_version: answers,
            history: history(theirs, 100),
            version: events,
            missing: 0,
            received_at: DateTime::UNIX_EPOCH,
        };
        let notifications: Vec<_> =
            (1..).zip(ours).map(|(version, status)| notification(id, version, status)).collect();
        for event in &notifications {
            if addressee.is_told_of(event.event().unwrap()) {
                deliver(letters(&mut results), event, &addressee.email());
            }
        }
        let seen = Seen { order: Some(order), pharmacy: Some(pharmacy), notifications };
        results.seen.insert(id, seen);
        results.ordering.insert(id, (1..=events).map(event).collect());
        results.pharmacy.insert(id, (1..=answers).map(event).collect());
    }
    let called = [2, 3].map(|version| event_id(CANCELLED, version));
    calls(&mut results).events.insert(CANCELLED, called.into());
    results
}

fn last(statuses: &[&str]) -> String {
    statuses.last().copied().unwrap().to_owned()
}

fn history(statuses: &[&str], at_millis: i64) -> Vec<Change> {
    let at = DateTime::from_timestamp_millis(at_millis).unwrap();
    statuses.iter().map(|status| Change { status: (*status).to_owned(), at }).collect()
}

/// The notification of an event on the channel `log`.
fn notification(order: Uuid, version: i64, status: &str) -> Notification {
    Notification {
        channel: "log".to_owned(),
        destination: "log".to_owned(),
        event_id: event_id(order, version),
        event_type: Some(format!("order.{status}")),
        order_version: version,
        state: "sent".to_owned(),
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

fn event_id(order: Uuid, version: i64) -> Uuid {
    Uuid::from_u128(order.as_u128() * 100 + u128::try_from(version).unwrap())
}

/// Delivers a letter after all others.
fn deliver(letters: &mut Letters, event: &Notification, to: &str) {
    let number = letters.values().map(Vec::len).sum::<usize>() as u64 + 1;
    letters.entry(event.event_id).or_default().push(Letter { number, to: to.to_owned() });
}

/// The event of this version.
fn event(version: i64) -> TopicEvent {
    let event_id = Uuid::from_u128(u128::try_from(version).unwrap());
    TopicEvent { event_id, version, arrived_at_micros: 1_000 }
}

fn report(results: &Results) -> Report {
    let Results { placed, seen, ordering, pharmacy, letters, calls } = results;
    let work = &Work::default();
    Report::new(&Observed { placed, seen, ordering, pharmacy, letters, calls, work })
}

fn seen(results: &mut Results) -> &mut Seen {
    results.seen.get_mut(&CANCELLED).unwrap()
}

fn order(results: &mut Results) -> &mut Order {
    seen(results).order.as_mut().unwrap()
}

fn pharmacy(results: &mut Results) -> &mut PharmacyOrder {
    seen(results).pharmacy.as_mut().unwrap()
}

fn notifications(results: &mut Results) -> &mut Vec<Notification> {
    &mut seen(results).notifications
}

fn letters(results: &mut Results) -> &mut Letters {
    results.letters.as_mut().unwrap()
}

fn calls(results: &mut Results) -> &mut Calls {
    results.calls.as_mut().unwrap()
}

fn topic(results: &mut Results) -> &mut Vec<TopicEvent> {
    results.ordering.get_mut(&CANCELLED).unwrap()
}

fn pharmacy_topic(results: &mut Results) -> &mut Vec<TopicEvent> {
    results.pharmacy.get_mut(&CANCELLED).unwrap()
}

/// Checks that this change of correct results is found by this check, and perhaps by others.
#[track_caller]
fn assert_found(check: Check, what: &str, change: impl FnOnce(&mut Results)) {
    let mut results = correct_results();
    change(&mut results);
    let report = report(&results);
    assert!(!report.is_good());
    let found = report.findings.iter();
    let found = found.filter(|found| found.check == check && found.what.contains(what)).count();
    assert_eq!(found, 1, "{what}: {report}");
    let line = format!("WRONG  not true: {}", check.promise());
    assert!(report.to_string().contains(&line), "{report}");
}

#[test]
fn correct_results_have_no_findings_and_each_check_has_a_line() {
    let report = report(&correct_results());
    assert!(report.is_good(), "{report}");
    let text = report.to_string();
    for check in Check::ALL {
        assert!(text.contains(&format!("ok     {}", check.promise())), "{text}");
    }
    assert!(text.contains("1 cancelled, 1 completed, 1 rejected"), "{text}");
    assert!(text.contains("with 202, 0 with 409; 1 orders cancelled"), "{text}");
    assert!(text.contains("5 letters to customers, 2 calls of a webhook"), "{text}");
    assert_eq!(report.to_status.percentile(50), Duration::from_millis(50));
}

#[test]
fn a_repeat_of_the_same_event_is_counted_and_is_not_a_finding() {
    let mut results = correct_results();
    topic(&mut results).splice(.., [1, 1, 2, 1, 2, 3].map(event));
    pharmacy_topic(&mut results).push(event(1));
    let report = report(&results);
    assert_eq!((report.is_good(), report.repeats), (true, 4));
}

#[test]
fn a_missing_order_event_or_notification_is_a_finding() {
    assert_found(Check::Final, "missing in ordering", |results| seen(results).order = None);
    assert_found(Check::ReadModel, "missing in the pharmacy", |results| {
        seen(results).pharmacy = None;
    });
    assert_found(Check::ReadModel, "at version 2", |results| pharmacy(results).version = 2);
    assert_found(Check::ReadModel, "misses 1", |results| pharmacy(results).missing = 1);
    assert_found(Check::Notifications, "2 of 3 notifications", |results| {
        notifications(results).truncate(2);
    });
    assert_found(Check::OrderTopic, "2 of 3 events", |results| topic(results).truncate(2));
    assert_found(Check::PharmacyTopic, "0 of 1 events", |results| pharmacy_topic(results).clear());
    assert_found(Check::Requests, "503", |results| results.placed.errors.push("503".to_owned()));
}

#[test]
fn a_repeated_notification_and_two_notifications_of_one_event_are_findings() {
    assert_found(Check::Notifications, "4 notifications instead of 3", |results| {
        notifications(results).push(notification(CANCELLED, 2, "cancellation_requested"));
    });
    assert_found(Check::Notifications, "notified of 2 of 3 events", |results| {
        notifications(results)[1] = notification(CANCELLED, 1, "created");
    });
}

#[test]
fn events_out_of_order_too_many_events_and_two_events_of_one_version_are_findings() {
    assert_found(Check::OrderTopic, "version 3 was published after 0", |results| {
        topic(results).reverse();
    });
    assert_found(Check::PharmacyTopic, "2 of 1 events", |results| {
        pharmacy_topic(results).push(event(2));
    });
    let other = TopicEvent { event_id: Uuid::from_u128(9), ..event(1) };
    assert_found(Check::OrderTopic, "two events have version 1", |results| {
        topic(results).push(other);
    });
    assert_found(Check::OrderTopic, "published with two versions", |results| {
        topic(results)[1].event_id = event(1).event_id;
    });
}

#[test]
fn an_order_that_is_not_final_and_statuses_that_disagree_are_findings() {
    assert_found(Check::Final, "still ready", |results| order(results).status = "ready".to_owned());
    assert_found(Check::Agreement, "completed in ordering, cancelled in the pharmacy", |results| {
        order(results).status = "completed".to_owned();
    });
    assert_found(Check::Agreement, "cancelled in ordering, draft in the pharmacy", |results| {
        pharmacy(results).status = "draft".to_owned();
    });
    assert_found(Check::Agreement, "was told that it is cancelled", |results| {
        results.placed.orders[2].cancellation = Some(CancelAnswer::Cancelled);
    });
}

#[test]
fn an_order_that_was_cancelled_and_dispensed_is_a_finding() {
    let dispensed = || history(&["dispensed"], 100);
    assert_found(Check::CancelledOrDispensed, "cancelled and dispensed", |results| {
        pharmacy(results).history.extend(dispensed());
    });
    assert_found(Check::CancelledOrDispensed, "cancelled and dispensed", |results| {
        results.placed.orders[1].cancellation = Some(CancelAnswer::Cancelled);
    });
}
