//! What the demo reports: each kind of fault in otherwise correct results.

use std::collections::HashMap;
use std::time::Duration;

use chrono::DateTime;
use uuid::Uuid;

use super::Report;
use crate::demo::customer::PlacedOrder;
use crate::demo::load::Placed;
use crate::demo::reader::{Notification, PharmacyOrder, Seen};
use crate::demo::topic::TopicEvent;

const CANCELLED: Uuid = Uuid::from_u128(1);

/// The results for two orders. One of them was cancelled.
struct Results {
    placed: Placed,
    seen: HashMap<Uuid, Seen>,
    published: HashMap<Uuid, Vec<TopicEvent>>,
}

fn correct_results() -> Results {
    let (mut placed, mut seen, mut published) = (Placed::default(), HashMap::new(), HashMap::new());
    for (id, events) in [(CANCELLED, 2), (Uuid::from_u128(2), 1)] {
        placed.orders.push(PlacedOrder {
            id,
            created_at_micros: 0,
            post: Duration::from_millis(5),
            cancelled: events == 2,
        });
        let pharmacy = PharmacyOrder {
            status: if events == 2 { "cancelled" } else { "draft" }.to_owned(),
            version: events,
            missing: 0,
            received_at: DateTime::UNIX_EPOCH,
        };
        let notifications = (0..events).map(|event| notification(id, event)).collect();
        seen.insert(id, Seen { pharmacy: Some(pharmacy), notifications });
        published.insert(id, (1..=events).map(version).collect());
    }
    Results { placed, seen, published }
}

fn notification(order: Uuid, event: i64) -> Notification {
    let event_id = Uuid::from_u128(order.as_u128() * 100 + u128::try_from(event).unwrap());
    Notification { event_id, recorded_at: DateTime::UNIX_EPOCH }
}

fn version(version: i64) -> TopicEvent {
    TopicEvent { version, arrived_at_micros: 1_000 }
}

/// The findings after this change of the results.
fn findings(change: impl FnOnce(&mut Results)) -> Vec<String> {
    let mut results = correct_results();
    change(&mut results);
    let report = Report::new(&results.placed, &results.seen, &results.published);
    assert_eq!(report.is_good(), report.findings.is_empty());
    report.findings
}

fn pharmacy(results: &mut Results) -> &mut PharmacyOrder {
    results.seen.get_mut(&CANCELLED).unwrap().pharmacy.as_mut().unwrap()
}

fn notifications(results: &mut Results) -> &mut Vec<Notification> {
    &mut results.seen.get_mut(&CANCELLED).unwrap().notifications
}

fn topic(results: &mut Results) -> &mut Vec<TopicEvent> {
    results.published.get_mut(&CANCELLED).unwrap()
}

#[track_caller]
fn assert_found(change: impl FnOnce(&mut Results), what: &str) {
    let findings = findings(change);
    assert!(findings.len() == 1 && findings[0].contains(what), "{what}: {findings:?}");
}

#[test]
fn correct_results_have_no_findings() {
    assert_eq!(findings(|_| {}), Vec::<String>::new());
}

#[test]
fn a_repeat_in_the_topic_is_counted_and_is_not_a_finding() {
    let mut results = correct_results();
    topic(&mut results).splice(.., [1, 1, 2, 1, 2].map(version));
    let report = Report::new(&results.placed, &results.seen, &results.published);
    assert_eq!((report.is_good(), report.repeats), (true, 3));
}

#[test]
fn a_missing_order_event_or_notification_is_a_finding() {
    assert_found(
        |results| results.seen.get_mut(&CANCELLED).unwrap().pharmacy = None,
        "missing in the pharmacy",
    );
    assert_found(|results| pharmacy(results).version = 1, "at version 1");
    assert_found(|results| pharmacy(results).missing = 1, "misses 1");
    assert_found(|results| notifications(results).truncate(1), "1 of 2 notifications");
    assert_found(|results| topic(results).truncate(1), "1 of 2 events in the topic");
    assert_found(|results| topic(results).clear(), "0 of 2 events in the topic");
    assert_found(|results| results.placed.errors.push("503".to_owned()), "not placed: 503");
}

#[test]
fn a_repeated_notification_is_a_finding() {
    assert_found(
        |results| notifications(results).push(notification(CANCELLED, 2)),
        "3 notifications instead of 2",
    );
}

#[test]
fn two_notifications_of_one_event_instead_of_two_events_are_a_finding() {
    assert_found(
        |results| notifications(results)[1] = notification(CANCELLED, 0),
        "notified of 1 of 2 events",
    );
}

#[test]
fn events_out_of_order_and_a_wrong_status_are_findings() {
    assert_found(|results| topic(results).reverse(), "version 2 was published after 0");
    assert_found(|results| "draft".clone_into(&mut pharmacy(results).status), "has it draft");
}
