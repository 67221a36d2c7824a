use std::sync::atomic::AtomicUsize;

use application::StoreError;
use application::ordering::{Cause, Orders, PharmacyReport, follow_pharmacy};
use application::testing::{InMemoryOrdering, OrderStep, sample};
use domain::Outcome;
use domain::ordering::{PharmacyNews, StatusName};

use crate::contended::Contended;
use crate::now;

fn report(event: u32, news: PharmacyNews) -> PharmacyReport {
    PharmacyReport { event_id: sample::event_id(9, event), order_id: sample::order_id(1), news }
}

fn follow(store: &impl Orders, event: u32, news: PharmacyNews) -> Result<Outcome, StoreError> {
    now(follow_pharmacy(store, report(event, news), sample::event_stamp(1, 100 + event)))
}

fn placed() -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    now(store.save(sample::order(1), Cause::Unkeyed)).unwrap();
    store
}

fn status(store: &InMemoryOrdering) -> StatusName {
    now(store.find(sample::order_id(1))).unwrap().unwrap().snapshot().status().name()
}

#[test]
fn an_order_follows_the_pharmacy() {
    let store = placed();
    for (event, news, expected) in [
        (1, PharmacyNews::Confirmed, StatusName::Confirmed),
        (2, PharmacyNews::PreparationStarted, StatusName::Confirmed),
        (3, PharmacyNews::Ready, StatusName::Ready),
        (4, PharmacyNews::Dispensed, StatusName::Completed),
        (5, PharmacyNews::Cancelled, StatusName::Completed),
    ] {
        let _ = follow(&store, event, news).unwrap();
        assert_eq!(status(&store), expected);
    }
    let types: Vec<_> = store.all_records().into_iter().map(|r| r.event_type).collect();
    assert_eq!(types, ["OrderCreated", "OrderConfirmed", "OrderReady", "OrderCompleted"]);
}

#[test]
fn a_requested_cancellation_is_granted_or_declined() {
    for (news, expected) in [
        (PharmacyNews::Cancelled, StatusName::Cancelled),
        (PharmacyNews::CancellationDeclined, StatusName::Created),
    ] {
        let store = placed();
        let mut order = now(store.find(sample::order_id(1))).unwrap().unwrap();
        OrderStep::RequestCancellation.take(&mut order, sample::event_stamp(1, 2));
        now(store.save(order, Cause::Unkeyed)).unwrap();
        assert_eq!(follow(&store, 1, news.clone()).unwrap(), Outcome::Applied);
        assert_eq!(status(&store), expected);
        assert_eq!(follow(&store, 1, news).unwrap(), Outcome::AlreadyApplied);
        assert_eq!(store.all_records().len(), 3);
    }
}

#[test]
fn a_report_about_an_unknown_order_names_the_order() {
    let refused = follow(&InMemoryOrdering::default(), 1, PharmacyNews::Confirmed).unwrap_err();
    let StoreError::Refused(why) = refused else { panic!("{refused:?}") };
    assert_eq!(why.to_string(), format!("there is no order {}", sample::order_id(1)));
}

#[test]
fn a_report_is_followed_after_version_conflicts_but_not_after_too_many() {
    let store = Contended { store: placed(), conflicts: AtomicUsize::new(3) };
    assert_eq!(follow(&store, 1, PharmacyNews::Confirmed).unwrap(), Outcome::Applied);
    assert_eq!(status(&store.store), StatusName::Confirmed);

    let store = Contended { store: placed(), conflicts: AtomicUsize::new(usize::MAX) };
    assert!(follow(&store, 1, PharmacyNews::Confirmed).unwrap_err().is_unavailable());
    assert_eq!(status(&store.store), StatusName::Created);
}
