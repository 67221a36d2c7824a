//! The command `reconcile`, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use adapter_avro::encode_pharmacy_event;
use adapter_notification::{self as notification, PgNotifications};
use adapter_ordering::{self as ordering, PgOrders};
use adapter_outbox::PgOutbox;
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::Database;
use application::inbox::Inbox;
use application::notification::RecordNotices;
use application::ordering::{Cause, Orders, Saved};
use application::pharmacy::ReceiveOrders;
use application::published::{Payload, PublishedEvent, PublishedItem};
use application::relay::{Claim, Outbox, OutboxRecord, Verdict};
use domain::OrderId;
use domain::ordering::PharmacyNews;
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use runtime::clock;
use test_support::new_order;

/// The stores of all contexts. Each context has its own database.
#[derive(Clone)]
struct Fixture {
    databases: [FreshDatabase; 3],
    orders: PgOrders,
    outbox: PgOutbox,
    pharmacy: ReceiveOrders<PgPharmacyOrders>,
    notification: RecordNotices<PgNotifications>,
}

impl Fixture {
    async fn new() -> Self {
        let databases = [
            fresh_database().await.unwrap(),
            fresh_database().await.unwrap(),
            fresh_database().await.unwrap(),
        ];
        let contexts = [&ordering::TABLES, &pharmacy::TABLES, &notification::TABLES];
        let [ordering, pharmacy, notification] = std::array::from_fn(|at| {
            Database::new(contexts[at], &databases[at].args(), "test").unwrap()
        });
        for database in [&ordering, &pharmacy, &notification] {
            database.migrate().await.unwrap();
        }
        Self {
            orders: PgOrders::new(&ordering, adapter_avro::encode_event),
            outbox: PgOutbox::new(&ordering, 2),
            pharmacy: ReceiveOrders {
                orders: PgPharmacyOrders::new(&pharmacy, encode_pharmacy_event),
                now: clock::now,
            },
            notification: RecordNotices {
                notifications: PgNotifications::new(&notification),
                letters: true,
            },
            databases,
        }
    }

    /// Stores an order, and cancels it if it is to have two events.
    async fn place(&self, events: usize) -> OrderId {
        let order = new_order("Ada");
        let id = order.id();
        let saved = self.orders.save(order, Cause::Unkeyed).await.unwrap();
        if let (Saved::Stored(mut order), 2) = (saved, events) {
            assert!(order.follow(PharmacyNews::Cancelled, clock::event_stamp()).is_applied());
            self.orders.save(order, Cause::Unkeyed).await.unwrap();
        }
        id
    }

    /// Settles all that is due as published. Returns the events.
    async fn relay(&self) -> Vec<PublishedEvent> {
        let mut events = Vec::new();
        while let Some(claim) = self.outbox.claim(100).await.unwrap() {
            events.extend(claim.records().iter().map(published_event));
            let verdicts = vec![Verdict::Published; claim.records().len()];
            claim.settle(&verdicts).await.unwrap();
        }
        events
    }

    async fn deliver_to_both(&self, events: &[PublishedEvent]) {
        self.pharmacy.apply_batch(events, &[]).await.unwrap();
        self.notification.apply_batch(events, &[]).await.unwrap();
    }

    fn reconcile(&self, arguments: &[&str]) -> Command {
        let [ordering, pharmacy, notification] = self.databases.each_ref().map(FreshDatabase::url);
        let mut command = Command::new(env!("CARGO_BIN_EXE_order-jobs"));
        command
            .args(["reconcile", "--grace", "0.1", "--until", "2999-01-01T00:00:00Z"])
            .args(arguments)
            .env("DATABASE_URL", ordering)
            .env("PHARMACY_DATABASE_URL", pharmacy)
            .env("NOTIFICATION_DATABASE_URL", notification);
        command
    }
}

fn published_event(record: &OutboxRecord) -> PublishedEvent {
    let item = PublishedItem { product_id: 1, quantity: 2, medication: None };
    let payload = if record.event_type == "OrderCreated" {
        Payload::OrderCreated {
            customer_id: None,
            customer_name: "Ada".to_owned(),
            items: vec![item],
            note: None,
        }
    } else {
        Payload::OrderCancelled { reason: "no need".to_owned() }
    };
    PublishedEvent {
        event_id: record.event_id,
        occurred_at: record.occurred_at,
        order_id: OrderId::new(record.aggregate_id),
        version: record.aggregate_version.try_into().unwrap(),
        payload,
    }
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// The lines about orders, without the explanation: kind, read model and order id.
fn order_lines(output: &Output) -> BTreeSet<String> {
    let about_orders = lines(output).into_iter().filter(|line| line.contains('\t'));
    about_orders.map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" ")).collect()
}

async fn finished(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn complete_read_models_agree() {
    let fixture = Fixture::new().await;
    for n in 0..20 {
        fixture.place(1 + n % 2).await;
    }
    fixture.deliver_to_both(&fixture.relay().await).await;
    let waiting = fixture.place(1).await;
    let output = finished(fixture.reconcile(&[])).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(order_lines(&output), BTreeSet::new());
    for read_model in ["pharmacy", "notification"] {
        let expected = format!(
            "{read_model}: 20 orders, ordering has 21: 0 missing, 0 extra, 0 differing; 1 not \
             compared, because they have unpublished events"
        );
        assert!(lines(&output).contains(&expected), "{waiting}: {output:?}");
    }
}

#[tokio::test]
async fn lost_and_extra_orders_are_found_and_the_lost_ones_are_repaired() {
    let fixture = Fixture::new().await;
    let mut orders = Vec::new();
    for n in 0..40 {
        orders.push(fixture.place(1 + n % 2).await);
    }
    // Order 0 has one event, order 1 has two, and so on.
    let lost = |n: usize, version: i64| {
        let order = orders[n];
        move |event: &PublishedEvent| event.order_id == order && event.version.get() >= version
    };
    let events = fixture.relay().await;
    let without = |all: &[PublishedEvent], lost: &[&dyn Fn(&PublishedEvent) -> bool]| {
        let kept = all.iter().filter(|event| !lost.iter().any(|lost| lost(event)));
        kept.cloned().collect::<Vec<_>>()
    };
    let pharmacy = without(&events, &[&lost(4, 1), &lost(5, 1), &lost(7, 2)]);
    fixture.pharmacy.apply_batch(&pharmacy, &[]).await.unwrap();
    let created_of_9 =
        |event: &PublishedEvent| event.order_id == orders[9] && event.version.get() == 1;
    let notification = without(&events, &[&lost(5, 1), &lost(6, 1), &created_of_9]);
    fixture.notification.apply_batch(&notification, &[]).await.unwrap();
    // An order that ordering does not know.
    let mut phantom = events[0].clone();
    (phantom.order_id, phantom.event_id) = (clock::new_order_id(), clock::event_stamp().event_id);
    fixture.deliver_to_both(std::slice::from_ref(&phantom)).await;

    let found: BTreeSet<String> = [
        format!("missing pharmacy {}", orders[4]),
        format!("missing pharmacy {}", orders[5]),
        format!("differing pharmacy {}", orders[7]),
        format!("extra pharmacy {}", phantom.order_id),
        format!("missing notification {}", orders[5]),
        format!("missing notification {}", orders[6]),
        format!("differing notification {}", orders[9]),
        format!("extra notification {}", phantom.order_id),
    ]
    .into();
    let output = finished(fixture.reconcile(&[])).await;
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(order_lines(&output), found);
    assert!(fixture.relay().await.is_empty(), "nothing is published without --repair");

    // A relay and the consumers run in the background.
    let stop = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let (fixture, stop) = (fixture.clone(), stop.clone());
        async move {
            let mut published = 0;
            while !stop.load(Ordering::Relaxed) {
                let events = fixture.relay().await;
                published += events.len();
                fixture.deliver_to_both(&events).await;
                tokio::task::yield_now().await;
            }
            published
        }
    });
    let output = finished(fixture.reconcile(&["--repair"])).await;
    stop.store(true, Ordering::Relaxed);
    assert!(!output.status.success(), "the phantoms are left: {output:?}");
    let repaired: BTreeSet<String> =
        order_lines(&output).into_iter().filter(|line| line.starts_with("repaired")).collect();
    // Orders that both lack are published again only once, for the pharmacy.
    let expected = [
        format!("repaired pharmacy {}", orders[4]),
        format!("repaired pharmacy {}", orders[5]),
        format!("repaired pharmacy {}", orders[7]),
        format!("repaired notification {}", orders[6]),
        format!("repaired notification {}", orders[9]),
    ];
    assert_eq!(repaired, expected.into());
    assert_eq!(
        work.await.unwrap(),
        1 + 2 + 2 + 1 + 2,
        "only the events of these orders were published again"
    );

    let output = finished(fixture.reconcile(&[])).await;
    let left =
        ["pharmacy", "notification"].map(|name| format!("extra {name} {}", phantom.order_id));
    assert_eq!(order_lines(&output), left.into());
}

#[tokio::test]
async fn orders_outside_of_the_range_are_left_out() {
    let fixture = Fixture::new().await;
    fixture.place(1).await;
    fixture.relay().await;
    let range = ["--since", "2998-01-01T00:00:00Z"];
    let output = finished(fixture.reconcile(&range)).await;
    assert!(output.status.success(), "{output:?}");
    let empty_range = ["--since", "2999-01-02T00:00:00Z"];
    let output = finished(fixture.reconcile(&empty_range)).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("--since is wrong"), "{stderr}");
}

#[tokio::test]
async fn an_error_names_the_read_model_that_cannot_be_read() {
    let fixture = Fixture::new().await;
    let mut command = fixture.reconcile(&[]);
    // Ordering's database has no tables of the pharmacy.
    command.env("PHARMACY_DATABASE_URL", fixture.databases[0].url());
    let output = finished(command).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot compare orders with pharmacy"), "{stderr}");
    assert!(stderr.contains("this database has no tables of schema pharmacy"), "{stderr}");

    let mut command = fixture.reconcile(&[]);
    command.env("NOTIFICATION_DATABASE_URL", "mysql://nowhere");
    let stderr = String::from_utf8(finished(command).await.stderr).unwrap();
    assert!(stderr.contains("NOTIFICATION_DATABASE_URL is wrong"), "{stderr}");
}
