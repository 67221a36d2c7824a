//! Steps of the contract tests of notification.

use std::time::Duration;

use domain::notification::{Language, Preferences};
use domain::{CustomerId, EventId};
use uuid::Uuid;

use super::{NotificationFixture, sample};
use crate::inbox::BatchOutcome;
use crate::notification::{
    Attempt, ChannelName, ClaimRequest, Claimed, Contact, EventType, Lease, Notice, Notification,
    NotificationFilter, NotificationViews, Notifications, OrderCustomer, SealedSecret, SendOutcome,
    Settled, Webhook, WebhookId, WebhookSettings,
};
use crate::paging::PageLimit;

/// The longest lease of the tests.
pub(super) const HOLD: Duration = Duration::from_mins(1);

/// The notice of the event of order `n` with this version: its creation, or its cancellation.
pub(super) fn notice(n: u32, version: u32) -> Notice {
    match version {
        1 => Notice::of(&sample::created(n)),
        _ => Notice::of(&sample::cancelled(n, version)),
    }
}

/// The notice that a customer has placed order `n`.
pub(super) fn placed_by(customer: &str, n: u32) -> Notice {
    let customer = OrderCustomer { id: id(customer), name: "Zoë Ångström".to_owned() };
    Notice { customer: Some(customer), ..notice(n, 1) }
}

pub(super) fn id(customer: &str) -> CustomerId {
    customer.parse().expect("a customer id")
}

pub(super) fn contact(email: &str) -> Contact {
    Contact {
        email: email.parse().expect("an address"),
        language: Language::De,
        preferences: Preferences::default(),
    }
}

/// A webhook that subscribes to all events.
pub(super) fn webhook(n: u8) -> Webhook {
    let settings = WebhookSettings {
        url: format!("https://example.org/{n}"),
        description: None,
        event_types: EventType::ALL.into(),
    };
    let id = WebhookId::new(Uuid::from_u128(u128::from(n)));
    Webhook::new(id, settings, SealedSecret(vec![n; 60]), sample::at(u32::from(n)))
}

pub(super) async fn record<F: NotificationFixture>(fixture: &F, new: &[Notice]) -> BatchOutcome {
    fixture.notifications().record(new, true, &[]).await.expect("recorded")
}

pub(super) fn lease(number: u128) -> Lease {
    Lease::new(Uuid::from_u128(number))
}

/// A request for at most `limit` notifications, two for each customer or webhook.
pub(super) fn request(channel: ChannelName, limit: usize, lease: Lease) -> ClaimRequest<'static> {
    ClaimRequest { channel, lease, hold: HOLD, limit, per_destination: 2, busy: &[], failing: 8 }
}

pub(super) async fn claim<F: NotificationFixture>(
    fixture: &F,
    channel: ChannelName,
    limit: usize,
) -> Vec<Claimed> {
    let request = request(channel, limit, lease(1));
    fixture.notifications().claim(request).await.expect("an answer")
}

pub(super) fn attempt(accepted: bool) -> Attempt {
    Attempt {
        began: sample::at(7),
        duration: Duration::from_millis(20),
        accepted,
        answer: "an answer".to_owned(),
    }
}

/// The end of the lease, after an attempt if `outcome` is the result of one.
pub(super) fn settled(claimed: &Claimed, outcome: SendOutcome) -> Settled {
    let accepted = outcome == SendOutcome::Sent;
    let attempt = (!matches!(outcome, SendOutcome::Suppressed(_))).then(|| attempt(accepted));
    Settled { id: claimed.notification.id, lease: claimed.lease, outcome, attempt, endpoint: None }
}

pub(super) async fn settle<F: NotificationFixture>(
    fixture: &F,
    claimed: &[Claimed],
    outcome: SendOutcome,
) {
    let all: Vec<_> = claimed.iter().map(|one| settled(one, outcome.clone())).collect();
    let stored = fixture.notifications().settle(&all).await.expect("settled");
    assert_eq!(stored, claimed.len() as u64);
}

/// Claims at most `limit` on this channel and settles them with this outcome.
pub(super) async fn send<F: NotificationFixture>(
    fixture: &F,
    channel: ChannelName,
    outcome: SendOutcome,
) -> Vec<EventId> {
    let claimed = claim(fixture, channel, 10).await;
    settle(fixture, &claimed, outcome).await;
    events(&claimed)
}

pub(super) fn later() -> SendOutcome {
    SendOutcome::Later { reason: "busy".to_owned(), delay: Duration::from_secs(1) }
}

pub(super) fn failed() -> SendOutcome {
    SendOutcome::Failed("no such address".to_owned())
}

pub(super) async fn list<F: NotificationFixture>(
    fixture: &F,
    filter: NotificationFilter,
) -> Vec<Notification> {
    let limit = PageLimit::try_from(100).expect("a limit");
    fixture.views().list(&filter, None, limit).await.expect("a page").items
}

/// The notifications about order `n` on this channel.
pub(super) async fn of_order<F: NotificationFixture>(
    fixture: &F,
    channel: ChannelName,
    n: u32,
) -> Vec<Notification> {
    let (order_id, channel) = (Some(sample::order_id(n)), Some(channel));
    list(fixture, NotificationFilter { order_id, channel, ..NotificationFilter::default() }).await
}

pub(super) fn events(claimed: &[Claimed]) -> Vec<EventId> {
    claimed.iter().map(|one| one.notification.event_id).collect()
}
