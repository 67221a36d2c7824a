//! Contract of [`Notifications`] and [`Webhooks`]: what failed calls change in a webhook.

#![allow(missing_docs, reason = "each test name is a sentence")]

use super::notification_steps::{claim, later, notice, of_order, record, settle, settled, webhook};
use super::{NotificationFixture, sample};
use crate::notification::ChannelName::Webhook as Calls;
use crate::notification::{
    EndpointChange, Notifications, Recipient, SendOutcome, Settled, Webhook, WebhookSettings,
    WebhookState, Webhooks,
};

/// Makes one `#[test]` per test function of [`webhook_failures_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! webhook_failures_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, webhook_failures_contract:
            a_webhook_remembers_since_when_its_calls_fail,
            an_accepted_call_ends_the_failure_of_a_webhook,
            a_webhook_is_not_disabled_for_a_failure_that_has_ended,
            a_change_of_a_webhook_can_end_its_failure_but_not_set_it,
            a_call_can_disable_a_webhook,
        }
    };
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

/// Claims the call and settles it, to be repeated later.
async fn end_call<F: NotificationFixture>(fixture: &F, endpoint: Option<EndpointChange>) {
    let claimed = claim(fixture, Calls, 10).await;
    assert_eq!(claimed.len(), 1);
    let end = Settled { endpoint, ..settled(&claimed[0], later()) };
    assert_eq!(fixture.notifications().settle(&[end]).await.expect("settled"), 1);
}
