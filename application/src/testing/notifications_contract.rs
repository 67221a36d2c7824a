//! Contract of [`Notifications`]: an event is recorded once. A notification is leased by one worker at
//! a time, until it is sent or has failed permanently.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::HashSet;

use super::consumer_dead_letters_contract::just_after;
use super::notification_steps::{
    attempt, claim, events, failed, later, lease, list, notice, of_order, record, request, send,
    settle, settled,
};
use super::{NotificationFixture, sample};
use crate::housekeeping::delete_in_chunks;
use crate::inbox::BatchOutcome;
use crate::notification::ChannelName::Log;
use crate::notification::{
    NotificationFilter, NotificationState, NotificationViews, Notifications, Recipient,
    SendOutcome, StateName,
};
use crate::paging::PageLimit;
use crate::published::DeadLetter;

/// Makes one `#[test]` per test function of [`notifications_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! notifications_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, notifications_contract:
            an_event_is_recorded_once_and_is_pending,
            the_notifications_of_an_order_are_listed_oldest_first,
            a_dead_letter_is_stored_once,
            nothing_is_due_when_nothing_was_recorded,
            the_oldest_notifications_are_claimed_first_up_to_the_limit,
            no_two_claims_hold_the_same_notification,
            a_lease_that_runs_out_is_claimed_again,
            a_result_is_ignored_after_the_lease_was_lost,
            a_sent_notification_is_not_claimed_again,
            a_notification_to_be_sent_later_is_claimed_again_after_a_delay,
            an_outage_is_not_an_attempt,
            a_failed_notification_is_claimed_again_only_after_it_was_retried,
            notifications_that_fail_again_are_not_retried_twice,
            a_suppressed_notification_says_why,
            a_later_notification_of_an_order_waits_for_the_earlier,
            a_failed_notification_does_not_block_the_later_ones,
            notifications_of_an_order_are_claimed_by_version_whenever_they_were_recorded,
            notifications_are_listed_by_filter_and_page,
            settled_notifications_are_deleted_after_a_time_and_pending_ones_never,
        }
    };
}

pub async fn an_event_is_recorded_once_and_is_pending<F: NotificationFixture>(fixture: &F) {
    let outcome = record(fixture, &[notice(1, 1), notice(2, 1), notice(1, 1)]).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, repeated: 1, ..BatchOutcome::default() });
    let before = of_order(fixture, Log, 1).await;
    let outcome = record(fixture, &[notice(1, 1), notice(3, 1)]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(of_order(fixture, Log, 1).await, before);

    let [one] = before.try_into().expect("one notification");
    let notice = notice(1, 1);
    assert_eq!((one.event_id, one.order_version), (notice.event_id, notice.order_version));
    assert_eq!((one.event_type, one.occurred_at), (Some(notice.event_type), notice.occurred_at));
    assert_eq!((one.destination.as_str(), one.attempts), ("log", 0));
    assert!(matches!(one.state, NotificationState::Pending { last_error: None, .. }));
}

pub async fn the_notifications_of_an_order_are_listed_oldest_first<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    record(fixture, &[notice(1, 2)]).await;
    let seen = of_order(fixture, Log, 1).await;
    let versions: Vec<_> = seen.iter().map(|one| one.order_version.get()).collect();
    assert_eq!(versions, [1, 2]);
    assert!(seen.iter().all(|one| one.reason.is_none()), "it can be personal data");
    assert_eq!(of_order(fixture, Log, 3).await, []);
}

pub async fn a_dead_letter_is_stored_once<F: NotificationFixture>(fixture: &F) {
    let letter = |offset| DeadLetter {
        record: sample::record(offset, None),
        reason: "cannot be read".to_owned(),
    };
    let store = fixture.notifications();
    let outcome = store.record(&[], true, &[letter(1), letter(2)]).await.expect("recorded");
    assert_eq!(outcome, BatchOutcome { dead: 2, ..BatchOutcome::default() });
    store.record(&[notice(1, 1)], true, &[letter(1)]).await.expect("recorded");
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
        record(fixture, &[notice(n, 1)]).await;
    }
    let claimed = claim(fixture, Log, 2).await;
    assert_eq!(events(&claimed), [sample::event_id(3, 1), sample::event_id(1, 1)]);
    assert!(claimed.iter().all(|one| one.recipient == Recipient::Log && !one.ran_out));
}

pub async fn no_two_claims_hold_the_same_notification<F: NotificationFixture>(fixture: &F) {
    let all: Vec<_> = (1..=6).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.extend(events(&claim(fixture, Log, 2).await));
    }
    assert_eq!(held.iter().collect::<HashSet<_>>().len(), 6, "{held:?}");
    assert_eq!(claim(fixture, Log, 2).await, []);
}

pub async fn a_lease_that_runs_out_is_claimed_again<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1), notice(1, 2)]).await;
    let lost = claim(fixture, Log, 10).await;
    assert_eq!(events(&lost), [sample::event_id(1, 1)]);
    assert_eq!(claim(fixture, Log, 10).await, []);
    fixture.let_delays_pass().await;
    let again = claim(fixture, Log, 10).await;
    assert_eq!(events(&again), events(&lost));
    assert!(again[0].ran_out);
}

pub async fn a_result_is_ignored_after_the_lease_was_lost<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1)]).await;
    let store = fixture.notifications();
    let lost = claim(fixture, Log, 10).await;
    fixture.let_delays_pass().await;
    let again = store.claim(request(Log, 10, lease(2))).await.expect("an answer");
    let late = settled(&lost[0], failed());
    assert_eq!(store.settle(std::slice::from_ref(&late)).await.expect("an answer"), 0);
    settle(fixture, &again, SendOutcome::Sent).await;
    assert_eq!(store.settle(&[late]).await.expect("an answer"), 0);
    let seen = of_order(fixture, Log, 1).await;
    assert!(matches!(seen[0].state, NotificationState::Sent { .. }), "{seen:?}");
    assert_eq!(seen[0].attempts, 1);
}

pub async fn a_sent_notification_is_not_claimed_again<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1)]).await;
    send(fixture, Log, SendOutcome::Sent).await;
    let seen = of_order(fixture, Log, 1).await;
    assert!(matches!(seen[0].state, NotificationState::Sent { .. }), "{seen:?}");
    assert_nothing_due(fixture).await;
}

pub async fn a_notification_to_be_sent_later_is_claimed_again_after_a_delay<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1)]).await;
    for attempts in 1..=3 {
        assert_eq!(send(fixture, Log, later()).await, [sample::event_id(1, 1)]);
        assert_eq!(claim(fixture, Log, 10).await, []);
        let seen = of_order(fixture, Log, 1).await.remove(0);
        assert_eq!(seen.attempts, attempts);
        let is_busy = matches!(&seen.state, NotificationState::Pending { last_error: Some(why), .. } if why == "busy");
        assert!(is_busy, "{seen:?}");
        fixture.let_delays_pass().await;
    }
    send(fixture, Log, SendOutcome::Sent).await;
    assert_nothing_due(fixture).await;

    let id = of_order(fixture, Log, 1).await[0].id;
    let attempts = fixture.views().attempts(id).await.expect("an answer");
    let accepted: Vec<_> = attempts.iter().map(|attempt| attempt.accepted).collect();
    assert_eq!(accepted, [false, false, false, true]);
    assert_eq!(attempts[3], attempt(true));
}

pub async fn an_outage_is_not_an_attempt<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1)]).await;
    let mut outage = settled(&claim(fixture, Log, 10).await[0], later());
    outage.attempt = None;
    fixture.notifications().settle(&[outage]).await.expect("settled");
    let seen = of_order(fixture, Log, 1).await.remove(0);
    assert_eq!(seen.attempts, 0);
    assert_eq!(fixture.views().attempts(seen.id).await.expect("an answer"), []);
    fixture.let_delays_pass().await;
    assert_eq!(claim(fixture, Log, 10).await.len(), 1);
}

pub async fn a_failed_notification_is_claimed_again_only_after_it_was_retried<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    send(fixture, Log, failed()).await;
    let seen = of_order(fixture, Log, 1).await;
    let reason = "no such address".to_owned();
    assert_eq!(seen[0].state, NotificationState::Failed { reason });
    assert_nothing_due(fixture).await;

    let filter = NotificationFilter { id: Some(seen[0].id), ..NotificationFilter::default() };
    let store = fixture.notifications();
    let retried = store.retry(&filter, None, 10).await;
    assert_eq!(retried.expect("an answer"), [seen[0].id]);
    let retried = store.retry(&filter, None, 10).await;
    assert_eq!(retried.expect("an answer"), [], "it is pending");
    let again = claim(fixture, Log, 10).await;
    assert_eq!(events(&again), [sample::event_id(1, 1)]);
    assert_eq!(again[0].notification.attempts, 0);
    settle(fixture, &again, SendOutcome::Sent).await;
    let retried = store.retry(&filter, None, 10).await;
    assert_eq!(retried.expect("an answer"), [], "it was sent");
}

pub async fn notifications_that_fail_again_are_not_retried_twice<F: NotificationFixture>(
    fixture: &F,
) {
    let all: Vec<_> = (1..=3).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    send(fixture, Log, failed()).await;
    let (store, filter) = (fixture.notifications(), NotificationFilter::default());
    let first = store.retry(&filter, None, 2).await.expect("an answer");
    assert_eq!(first.len(), 2);
    send(fixture, Log, failed()).await;
    let second = store.retry(&filter, first.last().copied(), 2).await.expect("an answer");
    assert_eq!(second.len(), 1);
    assert!(second[0] > first[1] && first[1] > first[0]);
    let third = store.retry(&filter, second.last().copied(), 2).await;
    assert_eq!(third.expect("an answer"), []);
}

pub async fn a_suppressed_notification_says_why<F: NotificationFixture>(fixture: &F) {
    record(fixture, &[notice(1, 1)]).await;
    let reason = "no contact".to_owned();
    send(fixture, Log, SendOutcome::Suppressed(reason.clone())).await;
    let seen = of_order(fixture, Log, 1).await;
    assert_eq!(seen[0].state, NotificationState::Suppressed { reason });
    assert_eq!(seen[0].attempts, 0);
    assert_nothing_due(fixture).await;
}

pub async fn a_later_notification_of_an_order_waits_for_the_earlier<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1), notice(1, 2), notice(2, 1)]).await;
    let first = claim(fixture, Log, 10).await;
    assert_eq!(events(&first), [sample::event_id(1, 1), sample::event_id(2, 1)]);
    assert_eq!(claim(fixture, Log, 10).await, []);
    settle(fixture, &first[..1], later()).await;
    settle(fixture, &first[1..], SendOutcome::Sent).await;
    assert_eq!(claim(fixture, Log, 10).await, []);
    fixture.let_delays_pass().await;
    for version in [1, 2] {
        assert_eq!(send(fixture, Log, SendOutcome::Sent).await, [sample::event_id(1, version)]);
    }
    assert_nothing_due(fixture).await;
}

pub async fn a_failed_notification_does_not_block_the_later_ones<F: NotificationFixture>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1), notice(1, 2)]).await;
    send(fixture, Log, failed()).await;
    assert_eq!(events(&claim(fixture, Log, 10).await), [sample::event_id(1, 2)]);
}

pub async fn notifications_of_an_order_are_claimed_by_version_whenever_they_were_recorded<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 3)]).await;
    record(fixture, &[notice(1, 2), notice(1, 1)]).await;
    for version in 1..=3 {
        assert_eq!(send(fixture, Log, SendOutcome::Sent).await, [sample::event_id(1, version)]);
    }
}

pub async fn notifications_are_listed_by_filter_and_page<F: NotificationFixture>(fixture: &F) {
    let all: Vec<_> = (1..=5).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    let claimed = claim(fixture, Log, 2).await;
    settle(fixture, &claimed[..1], failed()).await;
    settle(fixture, &claimed[1..], SendOutcome::Sent).await;
    let channel = Some(Log);
    let state =
        |state| NotificationFilter { state: Some(state), channel, ..NotificationFilter::default() };
    for (name, count) in [
        (StateName::Failed, 1),
        (StateName::Sent, 1),
        (StateName::Pending, 3),
        (StateName::Suppressed, 0),
    ] {
        assert_eq!(list(fixture, state(name)).await.len(), count, "{name}");
    }
    let destination = Some("log".to_owned());
    let here = NotificationFilter { destination, ..NotificationFilter::default() };
    assert_eq!(list(fixture, here).await.len(), 5);
    let destination = Some("elsewhere".to_owned());
    let elsewhere = NotificationFilter { destination, ..NotificationFilter::default() };
    assert_eq!(list(fixture, elsewhere).await, []);

    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let limit = PageLimit::try_from(2).expect("a limit");
        let page = fixture.views().list(&state(StateName::Pending), after, limit).await;
        let page = page.expect("a page");
        seen.extend(page.items.into_iter().map(|one| one.event_id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [3, 4, 5].map(|n| sample::event_id(n, 1)));
}

pub async fn settled_notifications_are_deleted_after_a_time_and_pending_ones_never<F>(fixture: &F)
where
    F: NotificationFixture,
{
    record(fixture, &[notice(1, 1)]).await;
    send(fixture, Log, SendOutcome::Sent).await;
    record(fixture, &[notice(2, 1)]).await;
    send(fixture, Log, failed()).await;
    record(fixture, &[notice(3, 1)]).await;
    let store = fixture.notifications();
    let first = of_order(fixture, Log, 1).await[0].recorded_at;
    assert_eq!(store.delete_settled(first, 10).await.expect("an answer"), 0);

    let last = of_order(fixture, Log, 3).await[0].recorded_at;
    let deleted = delete_in_chunks(|limit| store.delete_settled(just_after(last), limit)).await;
    assert_eq!(deleted.expect("an answer"), 2);
    assert_eq!(of_order(fixture, Log, 1).await, []);
    assert_eq!(of_order(fixture, Log, 2).await, []);
    assert_eq!(of_order(fixture, Log, 3).await.len(), 1);
}

/// Asserts that nothing is due, now and after all delays.
async fn assert_nothing_due<F: NotificationFixture>(fixture: &F) {
    for _ in 0..2 {
        assert_eq!(claim(fixture, Log, 10).await, []);
        fixture.let_delays_pass().await;
    }
}
