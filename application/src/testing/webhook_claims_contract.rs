//! Contract of [`Notifications`]: which calls of webhooks are claimed together.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::HashMap;

use domain::Timestamp;

use super::notification_steps::{
    claim, events, later, lease, notice, of_order, record, request, settle, webhook,
};
use super::{NotificationFixture, sample};
use crate::notification::ChannelName::Webhook as Calls;
use crate::notification::{
    Busy, ClaimRequest, Claimed, Notification, NotificationState, Notifications, SendOutcome,
    Webhook, WebhookId, Webhooks,
};

/// Makes one `#[test]` per test function of [`webhook_claims_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! webhook_claims_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, webhook_claims_contract:
            a_webhook_gets_at_most_so_many_calls_at_once,
            a_webhook_that_hangs_does_not_hold_up_the_others,
            a_webhook_can_have_a_limit_of_its_own,
            a_webhook_whose_calls_fail_gets_one_at_a_time,
            failing_webhooks_leave_leases_for_healthy_ones,
            a_call_is_due_together_with_the_earlier_one_that_is_tried_again_later,
            a_call_does_not_wait_for_the_end_of_the_lease_of_the_earlier_one,
        }
    };
}

pub async fn a_webhook_gets_at_most_so_many_calls_at_once<F: NotificationFixture>(fixture: &F) {
    for n in [1, 2] {
        fixture.webhooks().add(&webhook(n)).await.expect("added");
    }
    let all: Vec<_> = (1..=5).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    let busy = [busy(1, 1, 2)];
    let first = request(Calls, 10, lease(1));
    let first = ClaimRequest { busy: &busy, ..first };
    let claimed = fixture.notifications().claim(first).await.expect("an answer");
    assert_eq!(count(&claimed), HashMap::from([(webhook(1).id, 1), (webhook(2).id, 2)]));
    assert_eq!(claim(fixture, Calls, 3).await.len(), 3, "the limit of the whole claim");
}

pub async fn a_webhook_that_hangs_does_not_hold_up_the_others<F: NotificationFixture>(fixture: &F) {
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    let all: Vec<_> = (1..=30).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    fixture.webhooks().add(&webhook(2)).await.expect("added");
    record(fixture, &[notice(31, 1)]).await;
    let claimed = claim(fixture, Calls, 32).await;
    assert_eq!(count(&claimed), HashMap::from([(webhook(1).id, 2), (webhook(2).id, 1)]));
}

pub async fn a_webhook_can_have_a_limit_of_its_own<F: NotificationFixture>(fixture: &F) {
    for n in [1, 2] {
        fixture.webhooks().add(&webhook(n)).await.expect("added");
    }
    let all: Vec<_> = (1..=9).map(|n| notice(n, 1)).collect();
    record(fixture, &all).await;
    let busy = [busy(1, 3, 8)];
    let request = ClaimRequest { busy: &busy, ..request(Calls, 20, lease(1)) };
    let claimed = fixture.notifications().claim(request).await.expect("an answer");
    assert_eq!(count(&claimed), HashMap::from([(webhook(1).id, 5), (webhook(2).id, 2)]));
}

pub async fn a_webhook_whose_calls_fail_gets_one_at_a_time<F: NotificationFixture>(fixture: &F) {
    let failing = Webhook { failing_since: Some(sample::at(1)), ..webhook(1) };
    for webhook in [failing, webhook(2)] {
        fixture.webhooks().add(&webhook).await.expect("added");
    }
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    let claimed = claim(fixture, Calls, 10).await;
    assert_eq!(count(&claimed), HashMap::from([(webhook(1).id, 1), (webhook(2).id, 2)]));
}

pub async fn failing_webhooks_leave_leases_for_healthy_ones<F: NotificationFixture>(fixture: &F) {
    for n in 1..=20 {
        let failing = Webhook { failing_since: Some(sample::at(1)), ..webhook(n) };
        fixture.webhooks().add(&failing).await.expect("added");
    }
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    fixture.webhooks().add(&webhook(21)).await.expect("added");
    record(fixture, &[notice(3, 1)]).await;
    for (most, limit, expected) in [(3, 10, 3 + 1), (5, 4, 4), (0, 10, 0)] {
        let request = ClaimRequest { failing: most, ..request(Calls, limit, lease(1)) };
        let claimed = fixture.notifications().claim(request).await.expect("an answer");
        assert_eq!(claimed.len(), expected, "at most {most} of {limit}");
    }
}

pub async fn a_call_is_due_together_with_the_earlier_one_that_is_tried_again_later<F>(fixture: &F)
where
    F: NotificationFixture,
{
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    settle(fixture, &claim(fixture, Calls, 10).await, later()).await;
    fixture.webhooks().add(&webhook(2)).await.expect("added");
    record(fixture, &[notice(1, 2), notice(2, 1)]).await;
    let calls = of_order(fixture, Calls, 1).await;
    let of = |n| calls.iter().filter(move |call| call.destination == webhook(n).id.to_string());
    let due: Vec<_> = of(1).map(due_at).collect();
    assert_eq!((due.len(), due[0]), (2, due[1]));
    assert!(of(2).all(|call| due_at(call) < due[0]), "it is for another webhook");
    assert!(due_at(&of_order(fixture, Calls, 2).await[0]) < due[0], "it is about another order");

    fixture.let_delays_pass().await;
    let first = claim(fixture, Calls, 10).await;
    settle(fixture, &first, SendOutcome::Sent).await;
    let claimed = claim(fixture, Calls, 10).await;
    assert!(events(&claimed).contains(&sample::event_id(1, 2)), "it waits no longer");
}

pub async fn a_call_does_not_wait_for_the_end_of_the_lease_of_the_earlier_one<F>(fixture: &F)
where
    F: NotificationFixture,
{
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    let first = claim(fixture, Calls, 10).await;
    record(fixture, &[notice(1, 2)]).await;
    assert_eq!(claim(fixture, Calls, 10).await, []);
    settle(fixture, &first, SendOutcome::Sent).await;
    assert_eq!(events(&claim(fixture, Calls, 10).await), [sample::event_id(1, 2)]);
}

/// The webhook, for which this many of `most` calls are leased.
fn busy(n: u8, leased: usize, most: usize) -> Busy {
    Busy { destination: webhook(n).id.to_string(), leased, most }
}

fn due_at(notification: &Notification) -> Timestamp {
    match notification.state {
        NotificationState::Pending { due_at, .. } => due_at,
        _ => panic!("not pending: {notification:?}"),
    }
}

fn count(claimed: &[Claimed]) -> HashMap<WebhookId, usize> {
    let mut calls = HashMap::new();
    for one in claimed {
        let id = one.notification.destination.parse().expect("an id");
        *calls.entry(id).or_default() += 1;
    }
    calls
}
