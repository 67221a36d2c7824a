//! Contract of [`follow_pharmacy`] with [`Orders`]: an order follows each report once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Outcome;
use domain::ordering::PharmacyNews;

use super::ordering_steps::{assert_nothing_due, find, place, relay_all, step};
use super::{OrderStep, OrderingFixture, sample};
use crate::StoreError;
use crate::ordering::{Cause, Orders, PharmacyReport, follow_pharmacy};

/// Makes one `#[test]` per test function of [`follow_pharmacy_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! follow_pharmacy_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, follow_pharmacy_contract:
            a_report_of_the_pharmacy_is_followed_once,
            a_report_that_changes_nothing_is_answered_once,
            a_report_about_an_unknown_order_is_refused,
        }
    };
}

pub async fn a_report_of_the_pharmacy_is_followed_once<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let report = |event| report(1, event, PharmacyNews::Confirmed);
    let followed = follow_pharmacy(&orders, report(1), sample::event_stamp(1, 2)).await;
    assert_eq!(followed.expect("an answer"), Outcome::Applied);
    let confirmed = find(&orders, 1).await;
    assert_eq!(confirmed.version().get(), 2);
    for event in [1, 2] {
        let repeated = follow_pharmacy(&orders, report(event), sample::event_stamp(1, 3)).await;
        assert_eq!(repeated.expect("an answer"), Outcome::AlreadyApplied);
    }
    assert_eq!(find(&orders, 1).await, confirmed);
    let records = relay_all(fixture, 2).await;
    assert_eq!(records[1].event_type, "OrderConfirmed");
    assert_eq!(records[1].event_id, sample::event_id(1, 2));
    assert_nothing_due(fixture).await;
}

pub async fn a_report_that_changes_nothing_is_answered_once<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let placed = place(&orders, 1, Cause::Unkeyed).await;
    // The customer asks to cancel only afterwards, so this does not answer the request.
    let declined = report(1, 1, PharmacyNews::CancellationDeclined);
    let followed = follow_pharmacy(&orders, declined.clone(), sample::event_stamp(1, 2)).await;
    assert_eq!(followed.expect("an answer"), Outcome::AlreadyApplied);
    let cause = Cause::Event(declined.event_id);
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), Some(placed));

    let requested = step(&orders, 1, &OrderStep::RequestCancellation, Cause::Unkeyed).await;
    let repeated = follow_pharmacy(&orders, declined, sample::event_stamp(1, 3)).await;
    assert_eq!(repeated.expect("an answer"), Outcome::AlreadyApplied);
    assert_eq!(find(&orders, 1).await, requested);
}

pub async fn a_report_about_an_unknown_order_is_refused<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let unknown = report(2, 1, PharmacyNews::Confirmed);
    let cause = Cause::Event(unknown.event_id);
    let refused = follow_pharmacy(&orders, unknown, sample::event_stamp(2, 2)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), None);
}

fn report(n: u32, event: u32, news: PharmacyNews) -> PharmacyReport {
    PharmacyReport { event_id: sample::event_id(1_000, event), order_id: sample::order_id(n), news }
}
