//! Contract of letters to customers: they go to the contact that a customer has when they are sent, and
//! an erased customer leaves nothing behind.

#![allow(missing_docs, reason = "each test name is a sentence")]

use super::notification_steps::{
    claim, contact, events, failed, id, lease, list, notice, of_order, placed_by, record, request,
    send,
};
use super::{NotificationFixture, sample};
use crate::notification::ChannelName::{Email, Log};
use crate::notification::{
    Addressee, Busy, ClaimRequest, ContactChange, Customers, Notice, NotificationFilter,
    Notifications, Recipient, Replaces, SendOutcome, StoredContact,
};
use crate::published::{Payload, PublishedEvent};

/// Makes one `#[test]` per test function of [`letters_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! letters_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, letters_contract:
            a_contact_is_stored_with_a_version,
            a_contact_is_replaced_only_if_the_condition_holds,
            the_customer_of_an_order_gets_a_letter_for_each_event_that_has_one,
            an_order_without_a_customer_has_no_letter,
            no_letter_is_recorded_when_letters_are_off,
            a_letter_goes_to_the_contact_of_the_moment,
            a_customer_without_a_contact_has_no_address,
            no_more_letters_of_one_customer_are_leased_than_may_be_sent_at_once,
            the_letters_of_a_customer_who_has_reached_the_limit_do_not_hide_those_of_others,
            letters_of_an_order_wait_for_each_other_but_not_for_other_channels,
            erasing_deletes_contact_name_and_letters,
            a_repeat_of_old_events_stores_nothing_about_an_erased_customer,
            a_redacted_order_has_no_customer_and_no_reasons_any_more,
            an_erased_customer_can_come_back,
            erasing_respects_the_condition,
        }
    };
}

pub async fn a_contact_is_stored_with_a_version<F: NotificationFixture>(fixture: &F) {
    assert_eq!(find(fixture, "c-1").await, None);
    let created = put(fixture, "c-1", "ada@example.org", Replaces::Any).await;
    let ContactChange::Created(created) = created else { panic!("{created:?}") };
    assert_eq!((&created.contact, created.version), (&contact("ada@example.org"), 1));
    assert_eq!(find(fixture, "c-1").await, Some(created));
    let replaced = put(fixture, "c-1", "lovelace@example.org", Replaces::Any).await;
    let ContactChange::Replaced(replaced) = replaced else { panic!("{replaced:?}") };
    assert_eq!((&replaced.contact, replaced.version), (&contact("lovelace@example.org"), 2));
    assert_eq!(find(fixture, "c-1").await, Some(replaced));
}

pub async fn a_contact_is_replaced_only_if_the_condition_holds<F: NotificationFixture>(
    fixture: &F,
) {
    for refused in [Replaces::Something, Replaces::Versions(vec![0, 1])] {
        assert_eq!(put(fixture, "c-1", "a@x", refused).await, ContactChange::Refused);
    }
    put(fixture, "c-1", "a@x", Replaces::Nothing).await;
    for refused in [Replaces::Nothing, Replaces::Versions(vec![2]), Replaces::Versions(vec![])] {
        assert_eq!(put(fixture, "c-1", "b@x", refused).await, ContactChange::Refused);
    }
    for allowed in [Replaces::Something, Replaces::Versions(vec![1, 2]), Replaces::Any] {
        let change = put(fixture, "c-1", "b@x", allowed).await;
        assert!(matches!(change, ContactChange::Replaced(_)), "{change:?}");
    }
    assert_eq!(find(fixture, "c-1").await.map(|stored| stored.version), Some(4));
}

pub async fn the_customer_of_an_order_gets_a_letter_for_each_event_that_has_one<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[placed_by("c-1", 1)]).await;
    let asked = Payload::OrderCancellationRequested { reason: "no".to_owned() };
    let asked = Notice::of(&PublishedEvent { payload: asked, ..sample::cancelled(1, 2) });
    record(fixture, &[asked, notice(1, 3)]).await;
    let letters = of_order(fixture, Email, 1).await;
    let versions: Vec<_> = letters.iter().map(|letter| letter.order_version.get()).collect();
    assert_eq!(versions, [1, 3]);
    assert_eq!(letters[1].reason.as_deref(), Some(sample::reason().as_str()));
    assert!(letters.iter().all(|letter| letter.destination == "c-1"));
    assert_eq!(of_order(fixture, Log, 1).await.len(), 3);
}

pub async fn an_order_without_a_customer_has_no_letter<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1), placed_by("c-1", 2), notice(1, 2)]).await;
    assert_eq!(of_order(fixture, Email, 1).await, []);
    assert_eq!(of_order(fixture, Email, 2).await.len(), 1);
}

pub async fn no_letter_is_recorded_when_letters_are_off<F: NotificationFixture>(fixture: &F) {
    let store = fixture.notifications();
    store.record(&[placed_by("c-1", 1)], false, &[]).await.expect("recorded");
    assert_eq!(of_order(fixture, Email, 1).await, []);
    record(fixture, &[placed_by("c-1", 1)]).await;
    assert_eq!(of_order(fixture, Email, 1).await, [], "the event was recorded before");
    record(fixture, &[notice(1, 2)]).await;
    assert_eq!(of_order(fixture, Email, 1).await.len(), 1);
}

pub async fn a_letter_goes_to_the_contact_of_the_moment<F: NotificationFixture>(fixture: &F) {
    put(fixture, "c-1", "old@example.org", Replaces::Any).await;
    record(fixture, &[placed_by("c-1", 1)]).await;
    put(fixture, "c-1", "new@example.org", Replaces::Any).await;
    let claimed = claim(fixture, Email, 10).await;
    let expected = contact("new@example.org");
    let addressee = Addressee {
        name: "Zoë Ångström".to_owned(),
        email: expected.email,
        language: expected.language,
        preferences: expected.preferences,
    };
    assert_eq!(claimed[0].recipient, Recipient::Customer(Some(addressee)));
}

pub async fn a_customer_without_a_contact_has_no_address<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[placed_by("c-1", 1)]).await;
    let claimed = claim(fixture, Email, 10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].recipient, Recipient::Customer(None));
}

pub async fn no_more_letters_of_one_customer_are_leased_than_may_be_sent_at_once<F>(fixture: &F)
where
    F: NotificationFixture,
{
    let many: Vec<_> = (1..=20).map(|n| placed_by("c-1", n)).collect();
    record(fixture, &many).await;
    record(fixture, &[placed_by("c-2", 21), placed_by("c-3", 22), placed_by("c-2", 23)]).await;
    let of_others = [21, 22, 23].map(|n| sample::event_id(n, 1));
    let busy = [busy("c-1", 1, 2), busy("c-3", 0, 2)];
    let first = ClaimRequest { busy: &busy, ..request(Email, 10, lease(1)) };
    let claimed = fixture.notifications().claim(first).await.expect("an answer");
    assert_eq!(events(&claimed)[0], sample::event_id(1, 1));
    assert_eq!(events(&claimed)[1..], of_others);
    let claimed = events(&claim(fixture, Email, 10).await);
    assert_eq!(claimed, [2, 3].map(|n| sample::event_id(n, 1)));
}

pub async fn the_letters_of_a_customer_who_has_reached_the_limit_do_not_hide_those_of_others<F>(
    fixture: &F,
) where
    F: NotificationFixture,
{
    let many: Vec<_> = (1..=100).map(|n| placed_by("c-1", n)).collect();
    record(fixture, &many).await;
    record(fixture, &[placed_by("c-2", 101)]).await;
    let busy = [busy("c-1", 2, 2)];
    let second = ClaimRequest { busy: &busy, ..request(Email, 2, lease(1)) };
    let claimed = fixture.notifications().claim(second).await.expect("an answer");
    assert_eq!(events(&claimed), [sample::event_id(101, 1)]);
}

pub async fn letters_of_an_order_wait_for_each_other_but_not_for_other_channels<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[placed_by("c-1", 1), notice(1, 2)]).await;
    assert_eq!(events(&claim(fixture, Email, 10).await), [sample::event_id(1, 1)]);
    for version in [1, 2] {
        let sent = send(fixture, Log, SendOutcome::Sent).await;
        assert_eq!(sent, [sample::event_id(1, version)]);
    }
    assert_eq!(claim(fixture, Email, 10).await, []);
}

pub async fn erasing_deletes_contact_name_and_letters<F: NotificationFixture>(fixture: &F) {
    put(fixture, "c-1", "ada@example.org", Replaces::Any).await;
    record(fixture, &[placed_by("c-1", 1), placed_by("c-2", 2)]).await;
    send(fixture, Email, failed()).await;
    assert!(erase(fixture, "c-1", Replaces::Any).await);
    assert_eq!(find(fixture, "c-1").await, None);
    let destination = Some("c-1".to_owned());
    let letters = NotificationFilter { destination, ..NotificationFilter::default() };
    assert_eq!(list(fixture, letters).await, []);
    assert_eq!(of_order(fixture, Email, 2).await.len(), 1, "of another customer");

    record(fixture, &[notice(1, 2)]).await;
    assert_eq!(of_order(fixture, Email, 1).await, [], "the order has no customer any more");
    assert_eq!(of_order(fixture, Log, 1).await.len(), 2);
}

pub async fn a_repeat_of_old_events_stores_nothing_about_an_erased_customer<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[placed_by("c-1", 1)]).await;
    assert!(erase(fixture, "c-1", Replaces::Any).await);
    record(fixture, &[placed_by("c-1", 1), placed_by("c-1", 2), notice(2, 2)]).await;
    for n in [1, 2] {
        assert_eq!(of_order(fixture, Email, n).await, []);
    }
}

pub async fn a_redacted_order_has_no_customer_and_no_reasons_any_more<F: NotificationFixture>(
    fixture: &F,
) {
    put(fixture, "c-1", "ada@example.org", Replaces::Any).await;
    let redacted = |n, version| {
        let event = sample::cancelled(n, version);
        Notice::of(&PublishedEvent { payload: Payload::OrderRedacted, ..event })
    };
    record(fixture, &[placed_by("c-1", 1), notice(1, 2), placed_by("c-1", 2)]).await;
    record(fixture, &[redacted(1, 3)]).await;
    record(fixture, &[placed_by("c-1", 3), notice(3, 2), redacted(3, 3)]).await;
    // A repeat of old events changes nothing.
    record(fixture, &[placed_by("c-1", 1), notice(1, 2), redacted(1, 3), notice(1, 4)]).await;
    for n in [1, 3] {
        let letters = of_order(fixture, Email, n).await;
        assert_eq!(letters.len(), 2);
        assert!(letters.iter().all(|letter| letter.reason.is_none()));
        assert_eq!(of_order(fixture, Log, n).await.len(), if n == 1 { 4 } else { 3 });
    }
    for claimed in claim(fixture, Email, 10).await {
        let is_other = claimed.notification.order_id == sample::order_id(2);
        assert_eq!(matches!(claimed.recipient, Recipient::Customer(Some(_))), is_other);
    }
}

pub async fn an_erased_customer_can_come_back<F: NotificationFixture>(fixture: &F) {
    put(fixture, "c-1", "ada@example.org", Replaces::Any).await;
    assert!(erase(fixture, "c-1", Replaces::Any).await);
    let back = put(fixture, "c-1", "ada@example.org", Replaces::Nothing).await;
    let ContactChange::Created(StoredContact { version, .. }) = back else { panic!("{back:?}") };
    assert!(version > 2, "a version does not repeat: {version}");
    record(fixture, &[placed_by("c-1", 1)]).await;
    let claimed = claim(fixture, Email, 10).await;
    assert!(matches!(claimed[0].recipient, Recipient::Customer(Some(_))));
}

pub async fn erasing_respects_the_condition<F: NotificationFixture>(fixture: &F) {
    put(fixture, "c-1", "ada@example.org", Replaces::Any).await;
    assert!(!erase(fixture, "c-1", Replaces::Versions(vec![7])).await);
    assert!(find(fixture, "c-1").await.is_some());
    assert!(erase(fixture, "c-1", Replaces::Versions(vec![1])).await);
    assert!(erase(fixture, "c-1", Replaces::Any).await, "a repeat is no error");
}

fn busy(customer: &str, leased: usize, most: usize) -> Busy {
    Busy { destination: customer.to_owned(), leased, most }
}

async fn find<F: NotificationFixture>(fixture: &F, customer: &str) -> Option<StoredContact> {
    fixture.customers().find(&id(customer)).await.expect("an answer")
}

async fn put<F: NotificationFixture>(
    fixture: &F,
    customer: &str,
    email: &str,
    replaces: Replaces,
) -> ContactChange {
    let put = fixture.customers();
    put.put(&id(customer), &contact(email), &replaces).await.expect("stored")
}

async fn erase<F: NotificationFixture>(fixture: &F, customer: &str, replaces: Replaces) -> bool {
    fixture.customers().erase(&id(customer), &replaces).await.expect("erased")
}
