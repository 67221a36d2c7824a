//! Contract of [`Notifications`]: there is one notification per event and channel. It is claimed by
//! one worker at a time, until it is sent or has failed permanently.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::HashSet;
use std::time::Duration;

use domain::{EventId, OrderVersion};

use super::consumer_dead_letters_contract::just_after;
use super::{NotificationFixture, sample};
use crate::housekeeping::delete_in_chunks;
use crate::inbox::BatchOutcome;
use crate::notification::{
    ChannelName, ClaimLimit, NewNotification, Notification, NotificationClaim, NotificationState,
    NotificationViews, Notifications, SendOutcome,
};
use crate::published::DeadLetter;

/// Maximum number of tries while waiting for background work of the store.
const MAX_TRIES: usize = 500;

/// Makes one `#[test]` per test function of [`notifications_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! notifications_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, notifications_contract:
            a_recorded_notification_is_pending,
            notifications_of_an_order_are_returned_oldest_first,
            there_is_one_notification_per_event_and_channel,
            a_dead_letter_is_stored_once,
            nothing_is_due_when_nothing_was_recorded,
            the_oldest_notifications_are_claimed_first_up_to_the_limit,
            no_two_claims_hold_the_same_notification,
            a_dropped_claim_is_released,
            a_sent_notification_is_not_claimed_again,
            a_notification_to_be_sent_later_is_claimed_again_after_a_delay,
            a_failed_notification_is_never_claimed_again,
            a_later_notification_of_an_order_waits_for_the_earlier,
            a_dropped_claim_keeps_the_order_of_notifications,
            a_failed_notification_does_not_block_the_later_ones,
            notifications_of_an_order_are_claimed_by_version_whenever_they_were_recorded,
            a_claim_is_bounded_in_bytes_and_has_at_least_one,
            settled_notifications_are_deleted_after_a_time_and_pending_ones_never,
        }
    };
}

pub async fn a_recorded_notification_is_pending<F: NotificationFixture>(fixture: &F) {
    let outcome = record(fixture, &[new(1, 1)]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, ..BatchOutcome::default() });
    let seen = of_order(fixture, 1).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].content, new(1, 1));
    assert_eq!(seen[0].state, NotificationState::Pending { attempts: 0 });
}

pub async fn notifications_of_an_order_are_returned_oldest_first<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[new(1, 1), new(2, 1)]).await;
    record(fixture, &[new(1, 2)]).await;
    let seen = of_order(fixture, 1).await;
    let contents: Vec<_> = seen.into_iter().map(|notification| notification.content).collect();
    assert_eq!(contents, [new(1, 1), new(1, 2)]);
    assert_eq!(of_order(fixture, 3).await, []);
}

pub async fn there_is_one_notification_per_event_and_channel<F: NotificationFixture>(fixture: &F) {
    let outcome = record(fixture, &[new(1, 1), new(2, 1), new(1, 1)]).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, repeated: 1, ..BatchOutcome::default() });
    let before = of_order(fixture, 1).await;
    let mut other_message = new(1, 1);
    other_message.message.push_str(" A different text.");
    let outcome = record(fixture, &[other_message, new(3, 1)]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(of_order(fixture, 1).await, before);
    assert_eq!(before.len(), 1);
}

pub async fn a_dead_letter_is_stored_once<F: NotificationFixture>(fixture: &F) {
    let letter = |offset| DeadLetter {
        record: sample::record(offset, None),
        reason: "cannot be read".to_owned(),
    };
    let store = fixture.notifications();
    let outcome = store.record(&[], &[letter(1), letter(2)]).await.expect("recorded");
    assert_eq!(outcome, BatchOutcome { dead: 2, ..BatchOutcome::default() });
    store.record(&[new(1, 1)], &[letter(1)]).await.expect("recorded");
    let mut stored = fixture.dead_letters().await;
    stored.sort_by_key(|letter| letter.record.offset);
    assert_eq!(stored, [letter(1), letter(2)]);
}

pub async fn nothing_is_due_when_nothing_was_recorded<F: NotificationFixture>(fixture: &F) {
    assert_nothing_due(fixture).await;
}

pub async fn the_oldest_notifications_are_claimed_first_up_to_the_limit<F: NotificationFixture>(
    fixture: &F,
) {
    for n in [3, 1, 2] {
        record(fixture, &[new(n, 1)]).await;
    }
    let claim = claim_due(fixture, 2).await;
    assert_eq!(events(claim.notifications()), [sample::event_id(3, 1), sample::event_id(1, 1)]);
}

pub async fn no_two_claims_hold_the_same_notification<F: NotificationFixture>(fixture: &F) {
    let all: Vec<_> = (1..=6).map(|n| new(n, 1)).collect();
    record(fixture, &all).await;
    let store = fixture.notifications();
    let mut claims = Vec::new();
    for _ in 0..3 {
        claims.push(claim_due(fixture, 2).await);
    }
    let held: Vec<EventId> =
        claims.iter().flat_map(|claim| events(claim.notifications())).collect();
    assert_eq!(held.iter().collect::<HashSet<_>>().len(), 6, "{held:?}");
    assert!(store.claim(ChannelName::Log, up_to(2)).await.expect("an answer").is_none());
}

pub async fn a_dropped_claim_is_released<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[new(1, 1)]).await;
    let claim = claim_due(fixture, 10).await;
    let held = claim.notifications().to_vec();
    drop(claim);
    assert_eq!(claim_due(fixture, 10).await.notifications(), held);
}

pub async fn a_sent_notification_is_not_claimed_again<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[new(1, 1), new(2, 1)]).await;
    settle(fixture, 1, SendOutcome::Sent).await;
    let sent = of_order(fixture, 1).await;
    assert!(matches!(sent[0].state, NotificationState::Sent { .. }), "{sent:?}");
    let claim = claim_due(fixture, 10).await;
    assert_eq!(events(claim.notifications()), [sample::event_id(2, 1)]);
    claim.settle(&[SendOutcome::Sent]).await.expect("settled");
    assert_nothing_due(fixture).await;
}

pub async fn a_notification_to_be_sent_later_is_claimed_again_after_a_delay<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[new(1, 1)]).await;
    for attempts in 1..=3 {
        settle(fixture, 10, later()).await;
        assert_claims_nothing(fixture).await;
        let seen = of_order(fixture, 1).await;
        assert_eq!(seen[0].state, NotificationState::Pending { attempts });
    }
    settle(fixture, 10, SendOutcome::Sent).await;
    assert_nothing_due(fixture).await;
}

pub async fn a_failed_notification_is_never_claimed_again<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[new(1, 1)]).await;
    settle(fixture, 10, SendOutcome::Failed("no such address".to_owned())).await;
    let seen = of_order(fixture, 1).await;
    let reason = "no such address".to_owned();
    assert_eq!(seen[0].state, NotificationState::Failed { reason });
    assert_nothing_due(fixture).await;
}

pub async fn a_later_notification_of_an_order_waits_for_the_earlier<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[new(1, 1), new(1, 2), new(2, 1)]).await;
    let claim = claim_due(fixture, 10).await;
    assert_eq!(events(claim.notifications()), [sample::event_id(1, 1), sample::event_id(2, 1)]);
    assert_claims_nothing(fixture).await;
    let outcomes = [later(), SendOutcome::Sent];
    claim.settle(&outcomes).await.expect("settled");
    assert_claims_nothing(fixture).await;
    for version in [1, 2] {
        let claim = claim_due(fixture, 10).await;
        assert_eq!(events(claim.notifications()), [sample::event_id(1, version)]);
        claim.settle(&[SendOutcome::Sent]).await.expect("settled");
    }
    assert_nothing_due(fixture).await;
}

pub async fn a_dropped_claim_keeps_the_order_of_notifications<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[new(1, 1), new(1, 2)]).await;
    for _ in 0..3 {
        let claim = claim_due(fixture, 10).await;
        assert_eq!(events(claim.notifications()), [sample::event_id(1, 1)]);
        drop(claim);
    }
}

pub async fn a_failed_notification_does_not_block_the_later_ones<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[new(1, 1), new(1, 2)]).await;
    settle(fixture, 10, SendOutcome::Failed("no such address".to_owned())).await;
    let claim = claim_due(fixture, 10).await;
    assert_eq!(events(claim.notifications()), [sample::event_id(1, 2)]);
}

pub async fn notifications_of_an_order_are_claimed_by_version_whenever_they_were_recorded<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[new(1, 3)]).await;
    record(fixture, &[new(1, 2), new(1, 1)]).await;
    for version in 1..=3 {
        let claim = claim_due(fixture, 10).await;
        assert_eq!(events(claim.notifications()), [sample::event_id(1, version)]);
        claim.settle(&[SendOutcome::Sent]).await.expect("settled");
    }
}

pub async fn a_claim_is_bounded_in_bytes_and_has_at_least_one<F: NotificationFixture>(fixture: &F) {
    let recorded: Vec<_> = (1..=5).map(|n| new(n, 1)).collect();
    record(fixture, &recorded).await;
    let one = recorded[0].message.len();
    let store = fixture.notifications();
    for (bytes, expected) in [(3 * one - 1, 2), (2 * one, 2), (0, 1), (one, 1)] {
        let limit = ClaimLimit { notifications: 10, bytes };
        let mut claim = None;
        // A dropped claim is released in the background.
        while claim.is_none() {
            fixture.let_delays_pass().await;
            claim = store.claim(ChannelName::Log, limit).await.expect("an answer");
        }
        let claim = claim.expect("a claim");
        assert_eq!(claim.notifications().len(), expected, "{bytes}");
        if expected == 1 && bytes > 0 {
            claim.settle(&[SendOutcome::Sent]).await.expect("settled");
        }
    }
}

pub async fn settled_notifications_are_deleted_after_a_time_and_pending_ones_never<F>(fixture: &F)
where
    F: NotificationFixture,
{
    record(fixture, &[new(1, 1)]).await;
    settle(fixture, 1, SendOutcome::Sent).await;
    record(fixture, &[new(2, 1)]).await;
    settle(fixture, 1, SendOutcome::Failed("no such address".to_owned())).await;
    record(fixture, &[new(3, 1)]).await;
    let store = fixture.notifications();
    let first = of_order(fixture, 1).await[0].recorded_at;
    assert_eq!(store.delete_settled(first, 10).await.expect("an answer"), 0);

    let last = of_order(fixture, 3).await[0].recorded_at;
    let deleted = delete_in_chunks(|limit| store.delete_settled(just_after(last), limit)).await;
    assert_eq!(deleted.expect("an answer"), 2);
    assert_eq!(of_order(fixture, 1).await, []);
    assert_eq!(of_order(fixture, 2).await, []);
    assert_eq!(of_order(fixture, 3).await.len(), 1);
}

fn new(n: u32, version: u32) -> NewNotification {
    NewNotification {
        event_id: sample::event_id(n, version),
        channel: ChannelName::Log,
        order_id: sample::order_id(n),
        order_version: OrderVersion::try_from(i64::from(version)).expect("a version"),
        message: format!("Grüße, order {n} is at version {version}."),
    }
}

fn up_to(notifications: usize) -> ClaimLimit {
    ClaimLimit { notifications, bytes: usize::MAX }
}

async fn record<F: NotificationFixture>(fixture: &F, new: &[NewNotification]) -> BatchOutcome {
    fixture.notifications().record(new, &[]).await.expect("recorded")
}

async fn of_order<F: NotificationFixture>(fixture: &F, n: u32) -> Vec<Notification> {
    fixture.views().of_order(sample::order_id(n)).await.expect("an answer")
}

fn later() -> SendOutcome {
    SendOutcome::Later { reason: "busy".to_owned(), delay: Duration::from_secs(1) }
}

async fn settle<F: NotificationFixture>(fixture: &F, limit: usize, outcome: SendOutcome) {
    let claim = claim_due(fixture, limit).await;
    let outcomes = vec![outcome; claim.notifications().len()];
    claim.settle(&outcomes).await.expect("settled");
}

/// Waits until a notification is due, and claims.
async fn claim_due<F: NotificationFixture>(
    fixture: &F,
    limit: usize,
) -> <F::Notifications as Notifications>::Claim {
    let store = fixture.notifications();
    for _ in 0..MAX_TRIES {
        if let Some(claim) = store.claim(ChannelName::Log, up_to(limit)).await.expect("an answer") {
            assert!((1..=limit).contains(&claim.notifications().len()));
            return claim;
        }
        fixture.let_delays_pass().await;
    }
    panic!("no notification became due");
}

/// Asserts that nothing is due, now and after all delays.
async fn assert_nothing_due<F: NotificationFixture>(fixture: &F) {
    for _ in 0..3 {
        fixture.let_delays_pass().await;
        assert_claims_nothing(fixture).await;
    }
}

async fn assert_claims_nothing<F: NotificationFixture>(fixture: &F) {
    let claim =
        fixture.notifications().claim(ChannelName::Log, up_to(10)).await.expect("an answer");
    assert!(claim.is_none(), "{:?}", claim.map(|claim| claim.notifications().to_vec()));
}

fn events(notifications: &[Notification]) -> Vec<EventId> {
    notifications.iter().map(|notification| notification.content.event_id).collect()
}
