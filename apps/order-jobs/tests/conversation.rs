//! The conversation of ordering and the pharmacy over their outboxes, without Kafka: random orders, work
//! and cancellations, and then a replay of everything.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use adapter_avro::{encode_event, encode_pharmacy_event, parse_writer};
use adapter_notification::{self as notification, PgNotifications};
use adapter_ordering::{self as ordering, PgOrders};
use adapter_outbox::PgOutbox;
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{ContextTables, Database};
use application::event_format::by_fingerprint;
use application::inbox::Inbox;
use application::notification::RecordNotices;
use application::ordering::{
    OrderViews, ReceiveReports, RequestCancellation, request_cancellation,
};
use application::pharmacy::{
    PharmacyViews, ReceiveOrders, Sequence, WorkOnOrder, WorkState, recover_work, work_on_order,
};
use application::published::{Payload, PharmacyPayload, PublishedEvent};
use application::reconcile::{OrderLedger as _, OrderRange};
use application::relay::{Claim, Outbox, OutboxRecord, Verdict};
use domain::OrderId;
use domain::ordering::StatusName;
use domain::pharmacy::{Command, Rejection, RejectionCode};
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use test_support::place_order;
use uuid::Uuid;

/// Number of orders.
const ORDERS: usize = 40;

/// Number of random steps. Each order needs about five.
const STEPS: usize = 250;

/// The published events of both contexts, in the sequence of the topics.
#[derive(Default)]
struct Topics {
    ordering: Vec<PublishedEvent>,
    pharmacy: Vec<PublishedEvent<PharmacyPayload>>,
}

struct Contexts {
    ordering: Database,
    pharmacy: Database,
    notification: Database,
}

async fn empty(tables: &'static ContextTables) -> Database {
    let database =
        Database::new(tables, &fresh_database().await.unwrap().args(), "conversation").unwrap();
    database.migrate().await.unwrap();
    database
}

impl Contexts {
    async fn new() -> Self {
        Self {
            ordering: empty(&ordering::TABLES).await,
            pharmacy: empty(&pharmacy::TABLES).await,
            notification: empty(&notification::TABLES).await,
        }
    }

    fn orders(&self) -> PgOrders {
        PgOrders::new(&self.ordering, encode_event)
    }

    fn pharmacy_orders(&self) -> PgPharmacyOrders {
        PgPharmacyOrders::new(&self.pharmacy, encode_pharmacy_event)
    }

    /// Publishes what is in the outboxes, without delivering it.
    async fn publish(&self, topics: &mut Topics) {
        for record in published(&self.ordering).await {
            let schema = by_fingerprint(adapter_avro::ordering(), &record.schema_fingerprint);
            let writer = parse_writer(schema.unwrap().json).unwrap();
            topics.ordering.push(adapter_avro::decode(&writer, &record.payload).unwrap());
        }
        for record in published(&self.pharmacy).await {
            let schema = by_fingerprint(adapter_avro::pharmacy(), &record.schema_fingerprint);
            let writer = parse_writer(schema.unwrap().json).unwrap();
            topics.pharmacy.push(adapter_avro::decode(&writer, &record.payload).unwrap());
        }
    }

    async fn deliver_to_pharmacy(&self, events: &[PublishedEvent]) {
        let inbox = ReceiveOrders { orders: self.pharmacy_orders(), now: clock::now };
        inbox.apply_batch(events, &[]).await.unwrap();
    }

    async fn deliver_to_notification(&self, events: &[PublishedEvent]) {
        let notifications = PgNotifications::new(&self.notification);
        let inbox = RecordNotices { notifications, letters: true };
        inbox.apply_batch(events, &[]).await.unwrap();
    }

    async fn deliver_to_ordering(&self, events: &[PublishedEvent<PharmacyPayload>]) {
        let inbox = ReceiveReports {
            orders: self.orders(),
            dead_letters: PgDeadLetters::new(&self.ordering),
            event_stamp: clock::event_stamp,
        };
        inbox.apply_batch(events, &[]).await.unwrap();
    }

    async fn deliver(&self, topics: &Topics) {
        self.deliver_to_pharmacy(&topics.ordering).await;
        self.deliver_to_notification(&topics.ordering).await;
        self.deliver_to_ordering(&topics.pharmacy).await;
    }

    /// All state that others can see, as text.
    async fn state(&self) -> BTreeMap<&'static str, String> {
        let orders = self.orders().newest(None, None, 1_000).await.unwrap();
        let pharmacy = self.pharmacy_state().await;
        BTreeMap::from([
            ("ordering", format!("{orders:#?}")),
            ("pharmacy", pharmacy),
            ("notification", self.notification_state().await),
        ])
    }

    async fn pharmacy_state(&self) -> String {
        let (orders, newest) = (self.pharmacy_orders(), Sequence::NewestFirst);
        let views = orders.page(&WorkState::ALL, newest, None, 1_000).await.unwrap();
        // Not when they were received: this is new in a new database.
        let known: Vec<_> = views.into_iter().map(|view| (view.order, view.work)).collect();
        format!("{known:#?}")
    }

    async fn notification_state(&self) -> String {
        let ledger = notification::ledger(&self.notification);
        let [first, last] = [Uuid::nil(), Uuid::max()].map(OrderId::new);
        format!("{:?}", ledger.digest(OrderRange::of_ids(first, last)).await.unwrap())
    }
}

/// Settles everything that is due in the outbox as published. Returns the records.
async fn published(database: &Database) -> Vec<OutboxRecord> {
    let outbox = PgOutbox::new(database, 2);
    let mut records = Vec::new();
    while let Some(claim) = outbox.claim(1_000).await.unwrap() {
        records.extend(claim.records().to_vec());
        let verdicts = vec![Verdict::Published; claim.records().len()];
        claim.settle(&verdicts).await.unwrap();
    }
    outbox.close().await;
    records
}

/// Random customers, pharmacists and deliveries, until everything has arrived and every order is final.
async fn converse(contexts: &Contexts) -> Topics {
    let (orders, pharmacy) = (contexts.orders(), contexts.pharmacy_orders());
    for _ in 0..ORDERS {
        place_order(&orders).await;
    }
    let mut topics = Topics::default();
    let (mut to_pharmacy, mut to_ordering) = (0_usize, 0_usize);
    for step in 0..STEPS + 100 {
        let random = clock::random();
        let ids = orders.newest(None, None, 1_000).await.unwrap();
        let id = ids[usize::try_from(random % ORDERS as u128).unwrap()].id;
        match (step < STEPS, random >> 64 & 7) {
            (true, 0) => {
                let reason = "changed my mind".parse().unwrap();
                let request = RequestCancellation { id, reason, expected: None, key: None };
                let _ = request_cancellation(&orders, request, clock::event_stamp()).await;
            }
            (true, 1..=4) => {
                if (random >> 100).is_multiple_of(8) {
                    work(&pharmacy, id, rejection()).await;
                }
                let commands =
                    [Command::Confirm, Command::Start, Command::MarkReady, Command::Dispense];
                for command in commands.into_iter().take(1 + (random >> 96 & 3) as usize) {
                    work(&pharmacy, id, command).await;
                }
            }
            (true, _) => {
                contexts.publish(&mut topics).await;
                // Only a part arrives now, and some of it a second time.
                let new = topics.ordering.len() - to_pharmacy;
                let from = to_pharmacy.saturating_sub(5);
                to_pharmacy += new / 2;
                contexts.deliver_to_pharmacy(&topics.ordering[from..to_pharmacy]).await;
                let from = to_ordering.saturating_sub(5);
                to_ordering += (topics.pharmacy.len() - to_ordering) / 2;
                contexts.deliver_to_ordering(&topics.pharmacy[from..to_ordering]).await;
            }
            (false, _) => {
                contexts.publish(&mut topics).await;
                let before = (topics.ordering.len(), topics.pharmacy.len());
                contexts.deliver(&topics).await;
                finish(&pharmacy).await;
                contexts.publish(&mut topics).await;
                if before == (topics.ordering.len(), topics.pharmacy.len()) {
                    return topics;
                }
            }
        }
    }
    panic!("the conversation does not end");
}

/// Does the next thing with every open order; every third draft is rejected.
async fn finish(pharmacy: &PgPharmacyOrders) {
    let open = pharmacy.page(&WorkState::OPEN, Sequence::OldestFirst, None, 1_000).await.unwrap();
    for (number, view) in open.into_iter().enumerate() {
        let command = match WorkState::from(&view.work.status) {
            WorkState::Draft if number.is_multiple_of(3) => rejection(),
            WorkState::Draft => Command::Confirm,
            WorkState::Confirmed => Command::Start,
            WorkState::InPreparation => Command::MarkReady,
            _ => Command::Dispense,
        };
        work(pharmacy, view.order.id, command).await;
    }
}

fn rejection() -> Command {
    let text = "We have none".parse().unwrap();
    Command::Reject(Rejection { code: RejectionCode::OutOfStock, text })
}

/// A command may be illegal, or the pharmacy may not know the order yet.
async fn work(pharmacy: &PgPharmacyOrders, id: OrderId, command: Command) {
    let command = WorkOnOrder { id, command, expected: None };
    let _ = work_on_order(pharmacy, command, clock::event_stamp()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_agree_and_a_replay_into_full_or_empty_databases_changes_nothing() {
    let contexts = Contexts::new().await;
    let mut topics = converse(&contexts).await;

    let expected = [
        (StatusName::Completed, WorkState::Dispensed),
        (StatusName::Rejected, WorkState::Rejected),
        (StatusName::Cancelled, WorkState::Cancelled),
    ];
    let mut ends = BTreeSet::new();
    for order in contexts.orders().newest(None, None, 1_000).await.unwrap() {
        let view = contexts.pharmacy_orders().view(order.id).await.unwrap().unwrap();
        let both = (order.status().name(), WorkState::from(&view.work.status));
        assert!(expected.contains(&both), "{both:?}: {order:?} {view:?}");
        ends.insert(both.1);
    }
    assert_eq!(ends.len(), 3, "orders end in every way: {ends:?}");
    assert_never_both(&topics);

    // Everything once more, into the full databases.
    let before = contexts.state().await;
    contexts.deliver(&topics).await;
    assert_eq!(contexts.state().await, before);

    // Into a pharmacy and a notification that have lost everything.
    let empty = Contexts {
        ordering: contexts.ordering.clone(),
        pharmacy: empty(&pharmacy::TABLES).await,
        notification: empty(&notification::TABLES).await,
    };
    let recovered = recover_work(&empty.pharmacy_orders(), &topics.pharmacy).await.unwrap();
    assert_eq!(recovered, topics.pharmacy.len() as u64);
    empty.deliver(&topics).await;
    assert_eq!(empty.state().await, before);

    let published = (topics.ordering.len(), topics.pharmacy.len());
    empty.publish(&mut topics).await;
    contexts.publish(&mut topics).await;
    assert_eq!((topics.ordering.len(), topics.pharmacy.len()), published, "no new events");
}

fn assert_never_both(topics: &Topics) {
    let orders = |is: fn(&Payload) -> bool| -> BTreeSet<OrderId> {
        topics.ordering.iter().filter(|it| is(&it.payload)).map(|it| it.order_id).collect()
    };
    let cancelled = orders(|payload| matches!(payload, Payload::OrderCancelled { .. }));
    let completed = orders(|payload| matches!(payload, Payload::OrderCompleted));
    assert!(!cancelled.is_empty() && !completed.is_empty());
    assert_eq!(cancelled.intersection(&completed).count(), 0);
    let orders = |is: fn(&PharmacyPayload) -> bool| -> BTreeSet<OrderId> {
        topics.pharmacy.iter().filter(|it| is(&it.payload)).map(|it| it.order_id).collect()
    };
    let cancelled = orders(|payload| matches!(payload, PharmacyPayload::Cancelled { .. }));
    let dispensed = orders(|payload| matches!(payload, PharmacyPayload::Dispensed));
    assert_eq!(cancelled.intersection(&dispensed).count(), 0);
}
