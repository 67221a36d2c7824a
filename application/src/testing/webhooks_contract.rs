//! Contract of [`Webhooks`], and of the addresses of their calls.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Timestamp;
use uuid::Uuid;

use super::notification_steps::{claim, notice, of_order, record, webhook};
use super::{NotificationFixture, sample};
use crate::notification::ChannelName::Webhook as Calls;
use crate::notification::{
    EventType, MAX_WEBHOOKS, Recipient, SealedSecret, Webhook, WebhookId, WebhookState, Webhooks,
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
            old_secrets_sign_for_a_while_after_a_rotation,
            calls_to_a_disabled_webhook_have_no_address,
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

fn far_future() -> Timestamp {
    "2999-01-01T00:00:00Z".parse().expect("a time")
}

fn long_past() -> Timestamp {
    "2001-01-01T00:00:00Z".parse().expect("a time")
}
