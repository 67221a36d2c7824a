use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use application::notification::{
    Answer, ChannelName, ClaimRequest, Claimed, Contact, Customers, EmailChannel, Endpoint,
    EndpointChange, EventType, Lease, Letter, Mailer, Notice, NotificationFilter,
    NotificationState, NotificationViews, Notifications, OrderCustomer, Recipient, Replaces,
    SealedSecret, SendError, SendOutcome, WebhookCall, WebhookChannel, WebhookSender, deliver,
    settle,
};
use application::paging::PageLimit;
use application::published::{Payload, PublishedEvent};
use application::testing::sample::{cancelled, created};
use application::testing::{InMemoryNotifications, sample};
use domain::notification::{Language, LetterKind, Preferences};
use domain::{CustomerId, EventId};
use uuid::Uuid;

use crate::now;

/// A mail server that accepts every letter, except those with an error here.
#[derive(Default)]
struct Server {
    letters: Mutex<Vec<Letter>>,
    errors: Mutex<HashMap<EventId, SendError>>,
}

impl Mailer for &Server {
    async fn send(&self, letter: &Letter) -> Result<Answer, SendError> {
        if let Some(error) = self.errors.lock().unwrap().get(&letter.event_id) {
            return Err(error.clone());
        }
        self.letters.lock().unwrap().push(letter.clone());
        Ok(Answer("250 OK".to_owned()))
    }
}

impl Server {
    fn sent(&self) -> Vec<EventId> {
        self.letters.lock().unwrap().iter().map(|letter| letter.event_id).collect()
    }
}

fn customer() -> CustomerId {
    "c-1".parse().unwrap()
}

fn contact(preferences: Preferences) -> Contact {
    Contact { email: "ada@example.org".parse().unwrap(), language: Language::Fr, preferences }
}

fn placed(n: u32) -> Notice {
    let customer = OrderCustomer { id: customer(), name: "Ada".to_owned() };
    Notice { customer: Some(customer), ..Notice::of(&created(n)) }
}

/// Orders 1 and 2 of a customer with a contact; order 1 is cancelled.
fn recorded() -> InMemoryNotifications {
    let store = InMemoryNotifications::default();
    let put =
        now(Customers::put(&store, &customer(), &contact(Preferences::default()), &Replaces::Any));
    put.unwrap();
    now(store.record(&[placed(1), placed(2), Notice::of(&cancelled(1, 2))], true, &[])).unwrap();
    store
}

/// Sends the letters that are due now, until none is left. Returns how many were settled.
fn send_letters(store: &InMemoryNotifications, server: &Server) -> usize {
    let mut count = 0;
    loop {
        let request = ClaimRequest {
            channel: ChannelName::Email,
            lease: Lease::new(Uuid::nil()),
            hold: Duration::from_mins(1),
            limit: 10,
            per_destination: 2,
            busy: &[],
            failing: 8,
        };
        let claimed = now(store.claim(request)).unwrap();
        if claimed.is_empty() {
            return count;
        }
        for one in claimed {
            let settled = now(deliver(&EmailChannel(server), &one, || store.now()));
            assert_eq!(now(store.settle(&[settled])).unwrap(), 1);
            count += 1;
        }
    }
}

fn letters_of(store: &InMemoryNotifications, n: u32) -> Vec<NotificationState> {
    let filter = NotificationFilter {
        order_id: Some(sample::order_id(n)),
        channel: Some(ChannelName::Email),
        ..NotificationFilter::default()
    };
    let page = now(store.list(&filter, None, PageLimit::default())).unwrap();
    page.items.into_iter().map(|one| one.state).collect()
}

#[test]
fn a_letter_has_what_its_text_needs() {
    let (store, server) = (recorded(), Server::default());
    assert_eq!(send_letters(&store, &server), 3);
    let letters = server.letters.lock().unwrap();
    assert_eq!(
        letters[2],
        Letter {
            event_id: sample::event_id(1, 2),
            to: "ada@example.org".parse().unwrap(),
            name: "Ada".to_owned(),
            language: Language::Fr,
            order_id: sample::order_id(1),
            kind: LetterKind::Cancelled,
            reason: Some(sample::reason().to_string()),
        }
    );
}

#[test]
fn the_customer_of_an_order_is_the_one_with_a_valid_id() {
    let placed = |customer_id: Option<&str>| {
        let payload = Payload::OrderCreated {
            customer_id: customer_id.map(str::to_owned),
            customer_name: "Ada".to_owned(),
            items: Vec::new(),
            note: None,
        };
        Notice::of(&PublishedEvent { payload, ..created(1) }).customer
    };
    let expected = OrderCustomer { id: customer(), name: "Ada".to_owned() };
    assert_eq!(placed(Some("c-1")), Some(expected));
    assert_eq!(placed(None), None);
    assert_eq!(placed(Some("ada@example.org")), None, "nobody has such an id");
}

#[test]
fn each_event_has_its_type_status_and_letter() {
    let text = || "we have none".to_owned();
    let items = Vec::new();
    let created =
        Payload::OrderCreated { customer_id: None, customer_name: text(), items, note: None };
    let rejected = Payload::OrderRejected { code: "out_of_stock".to_owned(), text: text() };
    let asked = Payload::OrderCancellationRequested { reason: text() };
    let cancelled_event = Payload::OrderCancelled { reason: text() };
    for (payload, name, status, letter, reason) in [
        (created, "order.created", Some("created"), Some(LetterKind::Received), false),
        (
            Payload::OrderConfirmed,
            "order.confirmed",
            Some("confirmed"),
            Some(LetterKind::Confirmed),
            false,
        ),
        (Payload::OrderReady, "order.ready", Some("ready"), Some(LetterKind::Ready), false),
        (
            Payload::OrderCompleted,
            "order.completed",
            Some("completed"),
            Some(LetterKind::Completed),
            false,
        ),
        (rejected, "order.rejected", Some("rejected"), Some(LetterKind::Rejected), true),
        (asked, "order.cancellation_requested", Some("cancellation_requested"), None, false),
        (
            Payload::OrderCancellationDeclined,
            "order.cancellation_declined",
            None,
            Some(LetterKind::CancellationDeclined),
            false,
        ),
        (Payload::OrderRedacted, "order.redacted", None, None, false),
        (cancelled_event, "order.cancelled", Some("cancelled"), Some(LetterKind::Cancelled), true),
    ] {
        let notice = Notice::of(&PublishedEvent { payload, ..cancelled(1, 2) });
        assert_eq!(notice.event_type.as_str(), name);
        assert_eq!(name.parse(), Ok(notice.event_type));
        assert_eq!(notice.event_type.status(), status, "{name}");
        assert_eq!(notice.event_type.letter(), letter, "{name}");
        assert_eq!(notice.reason.is_some(), reason, "{name}");
    }
    assert_eq!(EventType::ALL.len(), 9);
}

#[test]
fn a_letter_is_not_sent_without_a_contact_or_if_the_customer_has_declined_it() {
    let (store, server) = (InMemoryNotifications::default(), Server::default());
    now(store.record(&[placed(1)], true, &[])).unwrap();
    send_letters(&store, &server);
    let reason = "the customer has no contact".to_owned();
    assert_eq!(letters_of(&store, 1), [NotificationState::Suppressed { reason }]);

    let declined = Preferences::without([LetterKind::Received]).unwrap();
    now(Customers::put(&store, &customer(), &contact(declined), &Replaces::Any)).unwrap();
    let rejected = Payload::OrderRejected { code: "other".to_owned(), text: "no".to_owned() };
    let rejected = Notice::of(&PublishedEvent { payload: rejected, ..cancelled(2, 2) });
    now(store.record(&[placed(2), rejected], true, &[])).unwrap();
    send_letters(&store, &server);
    let states = letters_of(&store, 2);
    let reason = "the customer does not want this letter".to_owned();
    assert_eq!(states[0], NotificationState::Suppressed { reason });
    assert!(matches!(states[1], NotificationState::Sent { .. }), "a rejection is always told");
    assert_eq!(server.sent(), [sample::event_id(2, 2)]);
}

#[test]
fn a_customer_who_is_erased_hears_nothing_from_then_on() {
    let (store, server) = (recorded(), Server::default());
    assert!(now(store.erase(&customer(), &Replaces::Any)).unwrap());
    assert_eq!(send_letters(&store, &server), 0);
    assert_eq!(server.sent(), []);
}

#[test]
fn letters_of_an_order_are_sent_in_sequence_despite_retries() {
    let (first, second) = (sample::event_id(1, 1), sample::event_id(1, 2));
    let (store, server) = (recorded(), Server::default());
    let busy = SendError::Later { reason: "busy".to_owned(), after: None };
    server.errors.lock().unwrap().insert(first, busy);
    assert_eq!(send_letters(&store, &server), 2);
    assert_eq!(server.sent(), [sample::event_id(2, 1)]);
    store.advance(3600);
    assert_eq!(send_letters(&store, &server), 1);
    server.errors.lock().unwrap().clear();
    store.advance(3600);
    assert_eq!(send_letters(&store, &server), 2);
    assert_eq!(server.sent(), [sample::event_id(2, 1), first, second]);
}

#[test]
fn an_outage_of_the_mail_server_burns_no_attempt() {
    let (store, server) = (recorded(), Server::default());
    let event = sample::event_id(2, 1);
    server.errors.lock().unwrap().insert(event, SendError::Unreachable("no route".to_owned()));
    for _ in 0..100 {
        send_letters(&store, &server);
        assert!(matches!(letters_of(&store, 2)[0], NotificationState::Pending { .. }));
        store.advance(3600);
    }
    server.errors.lock().unwrap().clear();
    send_letters(&store, &server);
    assert!(server.sent().contains(&event));
}

#[test]
fn a_letter_fails_after_20_attempts_and_a_refused_one_at_once() {
    let (store, server) = (recorded(), Server::default());
    let busy = SendError::Later { reason: "busy".to_owned(), after: None };
    server.errors.lock().unwrap().insert(sample::event_id(2, 1), busy);
    let no = SendError::Never("550 no such user".to_owned());
    server.errors.lock().unwrap().insert(sample::event_id(1, 1), no);
    for attempt in 1..=20 {
        assert!(matches!(letters_of(&store, 2)[0], NotificationState::Pending { .. }), "{attempt}");
        send_letters(&store, &server);
        store.advance(3600);
    }
    let failed = |reason: &str| NotificationState::Failed { reason: reason.to_owned() };
    assert_eq!(letters_of(&store, 2), [failed("busy")]);
    assert_eq!(letters_of(&store, 1)[0], failed("550 no such user"));
    assert_eq!(server.sent(), [sample::event_id(1, 2)]);
}

/// A receiver that remembers its calls.
#[derive(Default)]
struct Receiver(Mutex<Vec<WebhookCall>>);

impl WebhookSender for &Receiver {
    async fn send(&self, call: &WebhookCall) -> Result<Answer, SendError> {
        self.0.lock().unwrap().push(call.clone());
        Ok(Answer("HTTP 204".to_owned()))
    }
}

/// A leased call about the event of order 1 with this version.
fn call(version: u32, failing_since: Option<u32>) -> Claimed {
    let store = recorded();
    let filter = NotificationFilter {
        order_id: Some(sample::order_id(1)),
        channel: Some(ChannelName::Log),
        ..NotificationFilter::default()
    };
    let all = now(store.list(&filter, None, PageLimit::default())).unwrap().items;
    let mut notification =
        all.into_iter().find(|one| one.event_id == sample::event_id(1, version)).unwrap();
    notification.channel = ChannelName::Webhook;
    let endpoint = Endpoint {
        url: "https://example.org/hook".to_owned(),
        secrets: vec![SealedSecret(vec![1])],
        failing_since: failing_since.map(sample::at),
    };
    let recipient = Recipient::Webhook(Some(endpoint));
    Claimed { notification, lease: Lease::new(Uuid::nil()), ran_out: false, recipient }
}

#[test]
fn a_webhook_is_called_with_a_thin_body_and_the_id_of_the_event() {
    let receiver = Receiver::default();
    let settled = now(deliver(&WebhookChannel(&receiver), &call(2, None), || sample::at(9)));
    assert_eq!((settled.outcome, settled.endpoint), (SendOutcome::Sent, None));
    let call = receiver.0.lock().unwrap().remove(0);
    assert_eq!((call.id, call.at), (sample::event_id(1, 2).to_string(), sample::at(9)));
    assert_eq!(
        call.body,
        format!(
            r#"{{"type":"order.cancelled","timestamp":"{}","data":{{"orderId":"{}","orderVersion":2,"status":"cancelled"}}}}"#,
            cancelled(1, 2).occurred_at,
            sample::order_id(1)
        )
    );
}

#[test]
fn a_disabled_webhook_is_not_called() {
    let receiver = Receiver::default();
    let disabled = Claimed { recipient: Recipient::Webhook(None), ..call(1, None) };
    let settled = now(deliver(&WebhookChannel(&receiver), &disabled, || sample::at(9)));
    assert_eq!(settled.outcome, SendOutcome::Suppressed("the webhook is disabled".to_owned()));
    assert_eq!(settled.attempt, None);
    assert!(receiver.0.lock().unwrap().is_empty());
}

#[test]
fn a_webhook_is_disabled_when_it_is_gone_or_has_failed_for_five_days() {
    const DAY: u32 = 24 * 3600;
    let later = || SendError::Later { reason: "HTTP 500".to_owned(), after: None };
    let gone = SendError::Gone("HTTP 410".to_owned());
    let disabled = EndpointChange::Gone("HTTP 410".to_owned());
    let outage = SendError::Unreachable("no key".to_owned());
    for (failing_since, error, at, expected) in [
        (None, None, 0, None),
        (Some(0), None, 1, None),
        (None, Some(outage.clone()), 1, None),
        (Some(0), Some(outage), 6 * DAY, None),
        (None, Some(later()), 7, Some(EndpointChange::FailingSince(sample::at(7)))),
        (Some(0), Some(later()), 5 * DAY - 1, None),
        (None, Some(gone.clone()), 1, Some(disabled.clone())),
        (Some(0), Some(gone), 1, Some(disabled)),
    ] {
        let result = match error {
            None => Ok(application::notification::Sending::Accepted(Answer("200".to_owned()))),
            Some(error) => Err(error),
        };
        let settled = settle(&call(1, failing_since), result, sample::at(at), sample::at(at));
        assert_eq!(settled.endpoint, expected);
    }
    let late = settle(&call(1, Some(0)), Err(later()), sample::at(5 * DAY), sample::at(5 * DAY));
    let Some(EndpointChange::Failing { since, reason }) = late.endpoint else { panic!("enabled") };
    assert!(since == sample::at(0) && reason.contains("HTTP 500"), "{reason}");
}

#[test]
fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
    for (asked, expected) in [(1, 5), (600, 600), (1_000_000, 27 * 3600)] {
        let after = Some(Duration::from_secs(asked));
        let error = SendError::Later { reason: "busy".to_owned(), after };
        let settled = settle(&call(1, None), Err(error), sample::at(0), sample::at(0));
        let SendOutcome::Later { delay, .. } = settled.outcome else { panic!("not retried") };
        assert_eq!(delay.as_secs(), expected);
    }
}
