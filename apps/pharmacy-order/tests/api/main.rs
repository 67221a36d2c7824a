//! The pharmacy's API on a real Postgres. Tests pass events to the inbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actions;

use std::future::ready;
use std::process::Command;

use adapter_avro::encode_pharmacy_event;
use adapter_http::site;
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::ConsumeAgain;
use application::inbox::Inbox;
use application::pharmacy::ReceiveOrders;
use application::published::{
    Content, Payload, PublishedEvent, PublishedItem, PublishedMedication,
};
use application::testing::sample;
use axum::Router;
use axum::http::StatusCode;
use domain::OrderId;
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use runtime::Check;
use runtime::clock;
use runtime::config::MAX_IN_FLIGHT;
use serde_json::{Value, json};
use test_support::{get_json, post_json, published_event};

struct Pharmacy {
    fresh: FreshDatabase,
    database: Database,
    router: Router,
    inbox: ReceiveOrders<PgPharmacyOrders>,
}

impl Pharmacy {
    async fn new() -> Self {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&pharmacy::TABLES, &fresh.args(), "test").unwrap();
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        Self::with_tables(fresh, &database, tables)
    }

    fn with_tables(fresh: FreshDatabase, database: &Database, tables: MigrationGate) -> Self {
        let inbox = ReceiveOrders {
            orders: PgPharmacyOrders::new(database, encode_pharmacy_event),
            now: clock::now,
        };
        // A retry can decode every record.
        let decode = |_| ready(Ok::<_, std::io::Error>(Content::Event(sample::created(1))));
        let how = ConsumeAgain { decode, inbox: inbox.clone() };
        let always_ready = Check::new("nothing", || ready(Ok(())));
        let routes = pharmacy_order::api::routes(database, tables, how);
        let router = site(routes, vec![always_ready], MAX_IN_FLIGHT).unwrap();
        Self { fresh, database: database.clone(), router, inbox }
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        post_json(&self.router, path, &body).await
    }

    async fn receive(&self, events: &[PublishedEvent]) {
        self.inbox.apply_batch(events, &[]).await.unwrap();
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        get_json(&self.router, path).await
    }
}

fn created(id: OrderId) -> PublishedEvent {
    let medication = |display: Option<&str>| PublishedMedication {
        system: "http://snomed.info/sct".to_owned(),
        code: "387517004".to_owned(),
        display: display.map(str::to_owned),
    };
    let items = vec![
        PublishedItem {
            product_id: 9,
            quantity: 1,
            medication: Some(medication(Some("Paracetamol"))),
        },
        PublishedItem { product_id: 7, quantity: 2, medication: None },
        PublishedItem { product_id: 8, quantity: 1, medication: Some(medication(None)) },
    ];
    let (customer_name, note) = ("Zoë".to_owned(), Some("by noon,\nplease".to_owned()));
    let payload = Payload::OrderCreated { customer_id: None, customer_name, items, note };
    published_event(id, 1, payload)
}

fn cancelled(id: OrderId) -> PublishedEvent {
    published_event(id, 2, Payload::OrderCancelled { reason: "too slow".to_owned() })
}

fn time(text: &Value) -> domain::Timestamp {
    text.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_order_is_shown_as_in_its_events() {
    let pharmacy = Pharmacy::new().await;
    let id = clock::new_order_id();
    let placed = created(id);
    pharmacy.receive(std::slice::from_ref(&placed)).await;

    let (status, mut order) = pharmacy.get(&format!("/api/pharmacy/orders/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(time(&order["orderedAt"].take()), placed.occurred_at);
    assert!(time(&order["receivedAt"].take()) >= placed.occurred_at);
    let expected = json!({
        "orderId": id.to_string(), "status": "draft", "version": 1, "missing": 0,
        "pharmacyVersion": 0, "allowedActions": ["confirm", "reject"], "history": [],
        "customerName": "Zoë", "orderedAt": null, "receivedAt": null,
        "items": [
            {"productId": 9, "quantity": 1, "medication": {
                "system": "http://snomed.info/sct", "code": "387517004", "display": "Paracetamol",
            }},
            {"productId": 7, "quantity": 2},
            {"productId": 8, "quantity": 1, "medication": {
                "system": "http://snomed.info/sct", "code": "387517004",
            }},
        ],
        "note": "by noon,\nplease",
    });
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_cancelled_order_shows_when_and_why_and_what_is_missing() {
    let pharmacy = Pharmacy::new().await;
    let id = clock::new_order_id();
    let cancellation = cancelled(id);
    pharmacy.receive(std::slice::from_ref(&cancellation)).await;

    let (_, mut order) = pharmacy.get(&format!("/api/pharmacy/orders/{id}")).await;
    assert_eq!(time(&order["cancellation"]["at"].take()), cancellation.occurred_at);
    order["receivedAt"].take();
    assert!(time(&order["history"][0]["at"].take()) >= cancellation.occurred_at);
    let expected = json!({
        "orderId": id.to_string(), "status": "cancelled", "version": 2, "missing": 1,
        "pharmacyVersion": 1, "allowedActions": [],
        "history": [{"status": "cancelled", "at": null}],
        "items": [], "receivedAt": null,
        "cancellation": {"reason": "too slow", "at": null},
    });
    assert_eq!(order, expected);

    pharmacy.receive(&[created(id)]).await;
    let (_, order) = pharmacy.get(&format!("/api/pharmacy/orders/{id}")).await;
    assert_eq!((&order["missing"], &order["status"]), (&json!(0), &json!("cancelled")));
    assert_eq!(order["customerName"], "Zoë");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let pharmacy = Pharmacy::new().await;
    let mut ids: Vec<OrderId> = (0..5).map(|_| clock::new_order_id()).collect();
    let mut events: Vec<PublishedEvent> = ids.iter().map(|id| created(*id)).collect();
    events.push(cancelled(ids[2]));
    pharmacy.receive(&events).await;
    ids.reverse();

    let mut seen = Vec::new();
    let mut path = "/api/pharmacy/orders?limit=2".to_owned();
    for page_size in [2, 2, 1] {
        let (status, page) = pharmacy.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        seen.extend(shown(&page));
        assert_eq!(page["items"].as_array().unwrap().len(), page_size);
        path = match page["nextCursor"].as_str() {
            Some(cursor) => format!("/api/pharmacy/orders?limit=2&cursor={cursor}"),
            None => "the end".to_owned(),
        };
    }
    assert_eq!(path, "the end");
    assert_eq!(seen, ids.iter().map(OrderId::to_string).collect::<Vec<_>>());

    let (_, cancelled) = pharmacy.get("/api/pharmacy/orders?status=cancelled").await;
    assert_eq!(shown(&cancelled), [ids[2].to_string()]);
    let (_, drafts) = pharmacy.get("/api/pharmacy/orders?status=draft&limit=4").await;
    assert_eq!(shown(&drafts).len(), 4);
    assert_eq!(drafts["nextCursor"], Value::Null, "a full last page has no next");
    let (_, oldest) =
        pharmacy.get("/api/pharmacy/orders?status=draft,cancelled&order=oldest&limit=3").await;
    assert_eq!(shown(&oldest), [4, 3, 2].map(|index: usize| ids[index].to_string()));
}

fn shown(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn unknown_orders_and_invalid_requests_are_problems() {
    let pharmacy = Pharmacy::new().await;
    let unknown = clock::new_order_id();
    let (status, problem) = pharmacy.get(&format!("/api/pharmacy/orders/{unknown}")).await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/problems/not-found")));

    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=two", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("cursor=1", "cursor"),
        ("cursor=", "cursor"),
        ("status=Draft", "status"),
        ("status=draft&status=draft", "status"),
        ("status=", "status"),
        ("status=draft,", "status"),
        ("status=draft,%20ready", "status"),
        ("order=", "order"),
        ("order=Oldest", "order"),
        ("page=2", "page"),
    ] {
        let (status, problem) = pharmacy.get(&format!("/api/pharmacy/orders?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
    }
    let (status, problem) = pharmacy.get("/api/pharmacy/orders/1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["parameter"], "id");
}

#[tokio::test]
async fn the_service_is_unavailable_until_the_tables_are_up_to_date() {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&pharmacy::TABLES, &fresh.args(), "test").unwrap();
    let pharmacy = Pharmacy::with_tables(fresh, &database, MigrationGate::default());
    for path in [
        "/api/pharmacy/orders",
        "/api/pharmacy/orders/01890a5d-ac96-774b-bcce-b302099a8057",
        "/api/pharmacy/worklist",
        "/api/dead-letters",
    ] {
        let (status, problem) = pharmacy.get(path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    }
}

#[tokio::test]
async fn a_record_that_could_not_be_consumed_is_listed_and_retried() {
    let pharmacy = Pharmacy::new().await;
    let dead = [sample::dead_letter(1, 1, "no Avro"), sample::dead_letter(2, 1, "no Avro")];
    pharmacy.inbox.apply_batch(&[], &dead).await.unwrap();

    let (status, page) = pharmacy.get("/api/dead-letters?limit=1").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["items"][0]["record"]["offset"], 11);
    let id = page["items"][0]["id"].as_i64().unwrap();
    assert_eq!(page["nextCursor"], id.to_string());

    let (_, report) = pharmacy.post("/api/dead-letters/retry", json!({"ids": [id]})).await;
    assert_eq!(report["results"], json!([{"id": id, "outcome": "retried"}]));
    let order = format!("/api/pharmacy/orders/{}", sample::order_id(1));
    assert_eq!(pharmacy.get(&order).await.0, StatusCode::OK);

    let by_type = json!({"eventType": "OrderCreated"});
    let (_, report) = pharmacy.post("/api/dead-letters/discard", by_type).await;
    assert_eq!(report["results"][0]["outcome"], "discarded");
    let (_, page) = pharmacy.get("/api/dead-letters").await;
    assert_eq!(page, json!({"items": [], "nextCursor": null}));
}

#[tokio::test]
async fn looking_for_dead_letters_does_not_create_tables() {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&pharmacy::TABLES, &fresh.args(), "test").unwrap();
    for command in [&["list"][..], &["retry", "--all"], &["discard", "1"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_pharmacy-order"))
            .arg("dead-letters")
            .args(command)
            .env("DATABASE_URL", fresh.url())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let expected =
            "this database has no tables of schema pharmacy; run `pharmacy-order migrate`";
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(database.check_tables().await.is_err(), "it created them");
    }
}

#[tokio::test]
async fn the_command_selects_by_reason() {
    let pharmacy = Pharmacy::new().await;
    let dead = [sample::dead_letter(1, 1, "no Avro"), sample::dead_letter(2, 1, "schema 7")];
    pharmacy.inbox.apply_batch(&[], &dead).await.unwrap();
    let command = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_pharmacy-order"))
            .arg("dead-letters")
            .args(arguments)
            .env("DATABASE_URL", pharmacy.fresh.url())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(command(&["list"]).lines().count(), 2);
    assert!(command(&["discard", "--reason", "Avro"]).ends_with(": discarded\n"));
    let open = command(&["list", "--event-type", "OrderCreated"]);
    assert!(open.lines().count() == 1 && open.contains("schema 7"), "{open}");
}

#[tokio::test]
async fn the_api_is_as_documented() {
    let pharmacy = Pharmacy::new().await;
    let (_, document) = pharmacy.get("/openapi.json").await;
    insta::assert_json_snapshot!(document);
}
