//! Contract of [`Webhooks`], and of the notifications that are sent to them.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::HashMap;

use domain::Timestamp;
use uuid::Uuid;

use super::notification_steps::{
    claim, events, later, lease, notice, of_order, record, request, settle, settled,
};
use super::{NotificationFixture, sample};
use crate::notification::ChannelName::Webhook as Calls;
use crate::notification::{
    Busy, ClaimRequest, Claimed, EndpointChange, EventType, MAX_WEBHOOKS, Notification,
    NotificationState, Notifications, Recipient, SealedSecret, SendOutcome, Settled, Webhook,
    WebhookId, WebhookSettings, WebhookState, Webhooks,
};
use crate::paging::PageLimit;

/// Makes one `#[test]` per test function of [`webhooks_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! webhooks_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, webhooks_contract:
            a_webhook_is_stored_and_found,
            no_more_than_the_maximum_of_webhooks_is_stored,
            webhooks_are_listed_by_page,
            a_webhook_that_was_changed_meanwhile_is_not_saved,
            a_deleted_webhook_is_gone_with_its_notifications,
            each_enabled_webhook_that_subscribes_gets_a_call_for_an_event,
            an_event_from_before_a_webhook_is_not_sent_to_it_when_it_is_repeated,
            a_webhook_gets_at_most_so_many_calls_at_once,
            a_webhook_that_hangs_does_not_hold_up_the_others,
            a_webhook_can_have_a_limit_of_its_own,
            a_webhook_whose_calls_fail_gets_one_at_a_time,
            failing_webhooks_leave_leases_for_healthy_ones,
            a_call_is_due_together_with_the_earlier_one_that_is_tried_again_later,
            a_call_does_not_wait_for_the_end_of_the_lease_of_the_earlier_one,
            old_secrets_sign_for_a_while_after_a_rotation,
            calls_to_a_disabled_webhook_have_no_address,
            a_webhook_remembers_since_when_its_calls_fail,
            an_accepted_call_ends_the_failure_of_a_webhook,
            a_webhook_is_not_disabled_for_a_failure_that_has_ended,
            a_change_of_a_webhook_can_end_its_failure_but_not_set_it,
            a_call_can_disable_a_webhook,
        }
    };
}

pub async fn a_webhook_is_stored_and_found<F: NotificationFixture>(fixture: &F) {
    let store = fixture.webhooks();
    assert_eq!(store.find(webhook(1).id).await.expect("an answer"), None);
    let mut full = webhook(1);
    full.rotate(SealedSecret(vec![9; 60]), sample::at(5));
    full.settings.description = Some("the shop – „Laden“".to_owned());
    full.state = WebhookState::Disabled { at: sample::at(7), reason: "gone".to_owned() };
    full.failing_since = Some(sample::at(6));
    for webhook in [full, webhook(2)] {
        store.add(&webhook).await.expect("added");
        assert_eq!(store.find(webhook.id).await.expect("an answer"), Some(webhook));
    }
}

pub async fn no_more_than_the_maximum_of_webhooks_is_stored<F: NotificationFixture>(fixture: &F) {
    let store = fixture.webhooks();
    let nth = |n: usize| Webhook { id: WebhookId::new(Uuid::from_u128(n as u128)), ..webhook(1) };
    for n in 0..MAX_WEBHOOKS {
        assert!(store.add(&nth(n)).await.expect("added"));
    }
    assert!(!store.add(&nth(MAX_WEBHOOKS)).await.expect("an answer"));
    assert!(store.delete(nth(0).id).await.expect("deleted"));
    assert!(store.add(&nth(MAX_WEBHOOKS)).await.expect("added"));
}

pub async fn webhooks_are_listed_by_page<F: NotificationFixture>(fixture: &F) {
    let store = fixture.webhooks();
    for n in [3, 1, 2] {
        store.add(&webhook(n)).await.expect("added");
    }
    let two = PageLimit::try_from(2).expect("a limit");
    let first = store.list(None, two).await.expect("a page");
    assert_eq!(first.items, [webhook(1), webhook(2)]);
    let second = store.list(first.next, two).await.expect("a page");
    assert_eq!((second.items, second.next), (vec![webhook(3)], None));
}

pub async fn a_webhook_that_was_changed_meanwhile_is_not_saved<F: NotificationFixture>(
    fixture: &F,
) {
    let store = fixture.webhooks();
    store.add(&webhook(1)).await.expect("added");
    let mut changed = webhook(1);
    "https://example.org/changed".clone_into(&mut changed.settings.url);
    assert_eq!(store.save(&changed).await.expect("an answer"), Some(2));
    assert_eq!(store.save(&webhook(1)).await.expect("an answer"), None);
    changed.version = 2;
    assert_eq!(store.find(changed.id).await.expect("an answer"), Some(changed));
    assert_eq!(store.save(&webhook(2)).await.expect("an answer"), None, "there is none");
}

pub async fn a_deleted_webhook_is_gone_with_its_notifications<F: NotificationFixture>(fixture: &F) {
    let store = fixture.webhooks();
    store.add(&webhook(1)).await.expect("added");
    store.add(&webhook(2)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    assert!(store.delete(webhook(1).id).await.expect("an answer"));
    assert!(!store.delete(webhook(1).id).await.expect("an answer"));
    assert_eq!(store.find(webhook(1).id).await.expect("an answer"), None);
    let left = of_order(fixture, Calls, 1).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].destination, webhook(2).id.to_string());
}

pub async fn each_enabled_webhook_that_subscribes_gets_a_call_for_an_event<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    let store = fixture.webhooks();
    let mut cancelled_only = webhook(2);
    cancelled_only.settings.event_types = [EventType::Cancelled].into();
    let mut disabled = webhook(3);
    disabled.state = WebhookState::Disabled { at: sample::at(1), reason: "gone".to_owned() };
    for webhook in [webhook(1), cancelled_only, disabled] {
        store.add(&webhook).await.expect("added");
    }
    record(fixture, &[notice(1, 1), notice(1, 2)]).await;
    let calls = of_order(fixture, Calls, 1).await;
    let mut calls: Vec<_> =
        calls.into_iter().map(|call| (call.order_version.get(), call.destination)).collect();
    calls.sort();
    let name = |n| webhook(n).id.to_string();
    assert_eq!(calls, [(1, name(1)), (2, name(1)), (2, name(2))]);
}

pub async fn an_event_from_before_a_webhook_is_not_sent_to_it_when_it_is_repeated<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    record(fixture, &[notice(1, 1)]).await;
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    assert_eq!(of_order(fixture, Calls, 1).await, []);
    assert_eq!(of_order(fixture, Calls, 2).await.len(), 1);
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

pub async fn a_webhook_whose_calls_fail_gets_one_at_a_time<F: NotificationFixture>(fixture: &F) {
    let failing = Webhook { failing_since: Some(sample::at(1)), ..webhook(1) };
    for webhook in [failing, webhook(2)] {
        fixture.webhooks().add(&webhook).await.expect("added");
    }
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    let claimed = claim(fixture, Calls, 10).await;
    assert_eq!(count(&claimed), HashMap::from([(webhook(1).id, 1), (webhook(2).id, 2)]));
}

pub async fn old_secrets_sign_for_a_while_after_a_rotation<F: NotificationFixture>(fixture: &F) {
    let mut rotated = webhook(1);
    rotated.previous_secrets = vec![
        (SealedSecret(vec![8]), far_future()),
        (SealedSecret(vec![7]), far_future()),
        (SealedSecret(vec![6]), long_past()),
    ];
    let mut long_ago = webhook(2);
    long_ago.previous_secrets = vec![(SealedSecret(vec![8]), long_past())];
    for webhook in [rotated, long_ago] {
        fixture.webhooks().add(&webhook).await.expect("added");
    }
    record(fixture, &[notice(1, 1)]).await;
    for claimed in claim(fixture, Calls, 10).await {
        let Recipient::Webhook(Some(endpoint)) = claimed.recipient else { panic!("no address") };
        let expected = if claimed.notification.destination == webhook(1).id.to_string() {
            vec![SealedSecret(vec![1; 60]), SealedSecret(vec![8]), SealedSecret(vec![7])]
        } else {
            vec![SealedSecret(vec![2; 60])]
        };
        assert_eq!(endpoint.secrets, expected);
    }
}

pub async fn calls_to_a_disabled_webhook_have_no_address<F: NotificationFixture>(fixture: &F) {
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    let mut disabled = webhook(1);
    disabled.state = WebhookState::Disabled { at: sample::at(1), reason: "gone".to_owned() };
    fixture.webhooks().save(&disabled).await.expect("saved");
    let claimed = claim(fixture, Calls, 10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].recipient, Recipient::Webhook(None));
}

pub async fn a_webhook_remembers_since_when_its_calls_fail<F: NotificationFixture>(fixture: &F) {
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    for (change, expected) in [
        (Some(EndpointChange::FailingSince(sample::at(3))), Some(sample::at(3))),
        (Some(EndpointChange::FailingSince(sample::at(9))), Some(sample::at(3))),
        (None, Some(sample::at(3))),
    ] {
        end_call(fixture, change).await;
        let stored = fixture.webhooks().find(webhook(1).id).await.expect("an answer");
        assert_eq!(stored.expect("a webhook").failing_since, expected);
        fixture.let_delays_pass().await;
        let claimed = claim(fixture, Calls, 10).await;
        let Recipient::Webhook(Some(endpoint)) = &claimed[0].recipient else { panic!("disabled") };
        assert_eq!(endpoint.failing_since, expected);
        settle(fixture, &claimed, later()).await;
        fixture.let_delays_pass().await;
    }
}

pub async fn an_accepted_call_ends_the_failure_of_a_webhook<F: NotificationFixture>(fixture: &F) {
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1), notice(2, 1)]).await;
    // Both were claimed while the webhook was healthy. The first one fails, then the second is accepted.
    let claimed = claim(fixture, Calls, 10).await;
    let failed = Settled {
        endpoint: Some(EndpointChange::FailingSince(sample::at(3))),
        ..settled(&claimed[0], later())
    };
    fixture.notifications().settle(&[failed]).await.expect("settled");
    settle(fixture, &claimed[1..], SendOutcome::Sent).await;
    let stored = fixture.webhooks().find(webhook(1).id).await.expect("an answer");
    assert_eq!(stored.expect("a webhook").failing_since, None);
}

pub async fn a_webhook_is_not_disabled_for_a_failure_that_has_ended<F: NotificationFixture>(
    fixture: &F,
) {
    let failing = |since| EndpointChange::Failing { since, reason: "HTTP 500".to_owned() };
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    end_call(fixture, Some(EndpointChange::FailingSince(sample::at(3)))).await;
    for (since, is_enabled) in [(sample::at(2), true), (sample::at(3), false)] {
        fixture.let_delays_pass().await;
        end_call(fixture, Some(failing(since))).await;
        let stored = fixture.webhooks().find(webhook(1).id).await.expect("an answer");
        assert_eq!(stored.expect("a webhook").state == WebhookState::Enabled, is_enabled);
    }
}

pub async fn a_change_of_a_webhook_can_end_its_failure_but_not_set_it<F: NotificationFixture>(
    fixture: &F,
) {
    let store = fixture.webhooks();
    store.add(&webhook(1)).await.expect("added");
    let mut changed = Webhook { failing_since: Some(sample::at(3)), ..webhook(1) };
    assert_eq!(store.save(&changed).await.expect("an answer"), Some(2));
    let stored = store.find(changed.id).await.expect("an answer").expect("a webhook");
    assert_eq!(stored.failing_since, None);
    record(fixture, &[notice(1, 1)]).await;
    end_call(fixture, Some(EndpointChange::FailingSince(sample::at(4)))).await;
    changed.version = 2;
    assert_eq!(store.save(&changed).await.expect("an answer"), Some(3));
    let mut stored = store.find(changed.id).await.expect("an answer").expect("a webhook");
    assert_eq!(stored.failing_since, Some(sample::at(4)));
    stored.change(WebhookSettings {
        url: "https://example.org/moved".to_owned(),
        ..changed.settings
    });
    assert_eq!(store.save(&stored).await.expect("an answer"), Some(4));
    let stored = store.find(stored.id).await.expect("an answer").expect("a webhook");
    assert_eq!(stored.failing_since, None);
}

pub async fn a_call_can_disable_a_webhook<F: NotificationFixture>(fixture: &F) {
    fixture.webhooks().add(&webhook(1)).await.expect("added");
    record(fixture, &[notice(1, 1)]).await;
    end_call(fixture, Some(EndpointChange::Gone("HTTP 410".to_owned()))).await;
    let stored = fixture.webhooks().find(webhook(1).id).await.expect("an answer");
    let stored = stored.expect("a webhook");
    let is_disabled =
        matches!(&stored.state, WebhookState::Disabled { reason, .. } if reason == "HTTP 410");
    assert!(is_disabled, "{stored:?}");
    assert_eq!(stored.version, 2, "a change by somebody who has not seen this is refused");
    record(fixture, &[notice(2, 1)]).await;
    assert_eq!(of_order(fixture, Calls, 2).await, []);
}

fn webhook(n: u8) -> Webhook {
    let settings = WebhookSettings {
        url: format!("https://example.org/{n}"),
        description: None,
        event_types: EventType::ALL.into(),
    };
    let id = WebhookId::new(Uuid::from_u128(u128::from(n)));
    Webhook::new(id, settings, SealedSecret(vec![n; 60]), sample::at(u32::from(n)))
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

fn far_future() -> domain::Timestamp {
    "2999-01-01T00:00:00Z".parse().expect("a time")
}

fn long_past() -> domain::Timestamp {
    "2001-01-01T00:00:00Z".parse().expect("a time")
}

/// Claims the call and settles it, to be repeated later.
async fn end_call<F: NotificationFixture>(fixture: &F, endpoint: Option<EndpointChange>) {
    let claimed = claim(fixture, Calls, 10).await;
    assert_eq!(claimed.len(), 1);
    let end = Settled { endpoint, ..settled(&claimed[0], later()) };
    assert_eq!(fixture.notifications().settle(&[end]).await.expect("settled"), 1);
}

fn count(claimed: &[Claimed]) -> HashMap<WebhookId, usize> {
    let mut calls = HashMap::new();
    for one in claimed {
        let id = one.notification.destination.parse().expect("an id");
        *calls.entry(id).or_default() += 1;
    }
    calls
}
