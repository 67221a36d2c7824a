//! The API and the commands for operators, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output};

use adapter_http::site;
use adapter_ordering::{self as ordering, PgOrders};
use adapter_outbox::PgOutbox;
use adapter_postgres::{Database, MigrationGate};
use application::ordering::{Cause, Orders as _};
use application::relay::{Claim, Outbox, Verdict};
use axum::Router;
use axum::http::StatusCode;
use domain::ordering::{NewOrder, Order, OrderItem, OrderItems};
use domain::{EventId, REDACTED_TEXT};
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use order_jobs::api;
use runtime::clock;
use runtime::config::MAX_IN_FLIGHT;
use serde_json::{Value, json};
use test_support::{get_json, place_order, post_json};

struct Fixture {
    fresh: FreshDatabase,
    orders: PgOrders,
    outbox: PgOutbox,
    router: Router,
}

impl Fixture {
    async fn new() -> Self {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&ordering::TABLES, &fresh.args(), "test").unwrap();
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        let router = site(api::routes(&database, tables), Vec::new(), MAX_IN_FLIGHT).unwrap();
        let (orders, outbox) =
            (PgOrders::new(&database, adapter_avro::encode_event), PgOutbox::new(&database, 2));
        Self { fresh, orders, outbox, router }
    }

    async fn place(&self) -> EventId {
        place_order(&self.orders).await
    }

    /// Claims what is due and settles all of it with this verdict. Returns how many records were due.
    async fn relay(&self, verdict: Verdict) -> usize {
        let Some(claim) = self.outbox.claim(10).await.unwrap() else { return 0 };
        let records = claim.records().len();
        claim.settle(&vec![verdict; records]).await.unwrap();
        records
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        get_json(&self.router, path).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        post_json(&self.router, path, &body).await
    }

    fn order_jobs(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_order-jobs"))
            .args(arguments)
            .env("DATABASE_URL", self.fresh.url())
            .output()
            .unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn the_backlog_counts_what_is_not_published() {
    let fixture = Fixture::new().await;
    fixture.place().await;
    let (status, backlog) = fixture.get("/api/outbox").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(backlog["unprocessed"], 1);

    assert_eq!(fixture.relay(Verdict::Published).await, 1);
    assert_eq!(fixture.get("/api/outbox").await.1["unprocessed"], 0);
}

#[tokio::test]
async fn an_event_that_kafka_refused_is_listed_retried_and_discarded() {
    let fixture = Fixture::new().await;
    let event = fixture.place().await.to_string();
    fixture.relay(Verdict::Refused("too large".to_owned())).await;

    let letters = fixture.get("/api/outbox/dead-letters").await.1;
    assert_eq!(letters["items"][0]["eventId"], event);
    assert_eq!(letters["items"][0]["reason"], "too large");
    let listed = fixture.order_jobs(&["dead-letters", "list"]);
    assert!(stdout(&listed).contains(&event), "{listed:?}");

    let retried = fixture.order_jobs(&["dead-letters", "retry", &event]);
    assert!(retried.status.success(), "{retried:?}");
    assert_eq!(fixture.relay(Verdict::Refused("still too large".to_owned())).await, 1);

    assert!(fixture.order_jobs(&["dead-letters", "discard", &event]).status.success());
    assert_eq!(fixture.get("/api/outbox/dead-letters").await.1["items"], serde_json::json!([]));
    let again = fixture.order_jobs(&["dead-letters", "discard", &event]);
    assert!(!again.status.success(), "it is discarded already: {again:?}");
}

#[tokio::test]
async fn all_events_that_kafka_refused_can_be_retried_at_once() {
    let fixture = Fixture::new().await;
    let refused = || Verdict::Refused("too\u{1b}[2Jlarge".to_owned());
    for _ in 0..2 {
        fixture.place().await;
        assert_eq!(fixture.relay(refused()).await, 1);
    }
    let listed = fixture.order_jobs(&["dead-letters", "list"]);
    assert!(stdout(&listed).contains(r"too\u{1b}[2Jlarge"), "{listed:?}");

    let retried = fixture.order_jobs(&["dead-letters", "retry", "--all"]);
    assert!(retried.status.success(), "{retried:?}");
    assert_eq!(stdout(&retried).matches("due to be published again").count(), 2, "{retried:?}");
    assert_eq!(fixture.get("/api/outbox/dead-letters").await.1["items"], serde_json::json!([]));
    assert_eq!(fixture.get("/api/outbox").await.1["unprocessed"], 2);
    assert!(
        !fixture.order_jobs(&["dead-letters", "retry"]).status.success(),
        "nothing was selected"
    );
}

#[tokio::test]
async fn events_that_kafka_refused_are_selected_by_reason_and_by_type() {
    let fixture = Fixture::new().await;
    let mut events = Vec::new();
    for reason in ["too large", "not allowed"] {
        events.push(fixture.place().await.to_string());
        assert_eq!(fixture.relay(Verdict::Refused(reason.to_owned())).await, 1);
    }
    let retried = fixture.order_jobs(&["dead-letters", "retry", "--reason", "large"]);
    assert_eq!(
        stdout(&retried),
        format!("{}: due to be published again\n", events[0]),
        "{retried:?}"
    );
    let by_type = ["dead-letters", "discard", "--event-type", "OrderCreated"];
    let discarded = fixture.order_jobs(&by_type);
    assert_eq!(stdout(&discarded), format!("{}: discarded\n", events[1]), "{discarded:?}");
    for (state, event) in [("retried", &events[0]), ("discarded", &events[1])] {
        let listed = stdout(&fixture.order_jobs(&["dead-letters", "list", "--state", state]));
        assert!(listed.starts_with(&format!("{event}\t{state}\t")), "{listed}");
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }
}

#[tokio::test]
async fn an_event_that_kafka_refused_is_retried_and_discarded_over_http() {
    let fixture = Fixture::new().await;
    let event = fixture.place().await.to_string();
    fixture.relay(Verdict::Refused("too large".to_owned())).await;
    let (status, page) = fixture.get("/api/dead-letters").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["items"][0]["id"], event);

    let (_, report) = fixture.post("/api/dead-letters/retry", json!({"reason": "large"})).await;
    assert_eq!(report["results"], json!([{"id": event, "outcome": "retried"}]));
    assert_eq!(fixture.relay(Verdict::Refused("still too large".to_owned())).await, 1);
    let (_, report) = fixture.post("/api/dead-letters/discard", json!({"ids": [event]})).await;
    assert_eq!(report["results"], json!([{"id": event, "outcome": "discarded"}]));
    let (_, page) = fixture.get("/api/dead-letters?state=discarded").await;
    assert_eq!(page["items"][0]["reason"], "still too large");
    assert_eq!(fixture.get("/api/outbox").await.1["deadLetters"], 0);
}

#[tokio::test]
async fn looking_for_dead_letters_does_not_create_tables() {
    let fresh = fresh_database().await.unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_order-jobs"))
        .args(["dead-letters", "list"])
        .env("DATABASE_URL", fresh.url())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = "this database has no tables of schema ordering; run `order-jobs migrate`";
    assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
}

#[tokio::test]
async fn a_replay_makes_what_was_published_due_again() {
    let fixture = Fixture::new().await;
    fixture.place().await;
    fixture.relay(Verdict::Published).await;
    assert_eq!(fixture.relay(Verdict::Published).await, 0);

    let far_future = "2999-01-01T00:00:00Z";
    assert!(fixture.order_jobs(&["replay", "--since", far_future]).status.success());
    assert_eq!(fixture.relay(Verdict::Published).await, 0, "no event was recorded after that");
    let replayed = fixture.order_jobs(&["replay"]);
    assert!(replayed.status.success(), "{replayed:?}");
    assert_eq!(fixture.relay(Verdict::Published).await, 1);
}

/// A new order of this customer.
fn order_of(customer: &str) -> Order {
    let item = OrderItem {
        product_id: 7.try_into().unwrap(),
        quantity: 1.try_into().unwrap(),
        medication: None,
    };
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_id: Some(customer.parse().unwrap()),
        customer_name: "Ada".parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        note: Some("for Ada".parse().unwrap()),
    };
    Order::place(new, clock::event_stamp())
}

#[tokio::test]
async fn the_data_of_a_customer_are_erased_and_an_event_for_each_order_is_published() {
    let fixture = Fixture::new().await;
    let (first, other) = (order_of("c-1815"), order_of("c-2"));
    for order in [first.clone(), order_of("c-1815"), other.clone()] {
        fixture.orders.save(order, Cause::Unkeyed).await.unwrap();
    }
    let erased = fixture.order_jobs(&["erase", "--customer", "c-1815"]);
    assert!(erased.status.success(), "{erased:?}");
    let text = stdout(&erased);
    assert!(text.starts_with("customer c-1815: 2 orders redacted, 0 redacted before, "), "{text}");
    assert!(text.contains("DELETE /api/customers/c-1815"), "{text}");
    let redacted = fixture.orders.find(first.id()).await.unwrap().unwrap();
    assert_eq!(redacted.snapshot().customer_name.as_str(), REDACTED_TEXT);
    assert_eq!(fixture.orders.find(other.id()).await.unwrap(), Some(other.saved()));
    assert_eq!(fixture.get("/api/outbox").await.1["unprocessed"], 5);

    let again = fixture.order_jobs(&["erase", "--customer", "c-1815"]);
    assert!(again.status.success(), "{again:?}");
    let text = stdout(&again);
    assert!(text.starts_with("customer c-1815: 0 orders redacted, 2 redacted before, "), "{text}");
    assert_eq!(fixture.get("/api/outbox").await.1["unprocessed"], 5);
}

#[tokio::test]
async fn an_erasure_needs_the_id_of_a_customer() {
    let fixture = Fixture::new().await;
    for arguments in [&["erase"][..], &["erase", "--customer", "ada@example.com"]] {
        let output = fixture.order_jobs(arguments);
        assert!(!output.status.success(), "{output:?}");
        assert!(stdout(&output).is_empty(), "{output:?}");
    }
}

#[tokio::test]
async fn the_api_is_as_documented() {
    let fixture = Fixture::new().await;
    let (_, document) = fixture.get("/openapi.json").await;
    insta::assert_json_snapshot!(document);
}
