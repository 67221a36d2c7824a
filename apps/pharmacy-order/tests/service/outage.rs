use std::time::Duration;

use domain::ordering::Order;
use serde_json::{Value, json};
use test_support::{eventually, new_order};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_service_starts_with_everything_down_recovers_and_stops_on_shutdown() {
    let fixture = Fixture::all_down().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(fixture.config(), stop.clone()));

    eventually("it listens", async || fixture.get("/livez").await.is_some()).await;
    let (status, readiness) = fixture.get("/readyz").await.unwrap();
    assert_eq!((status, ready(&readiness)), (503, (false, false)), "{readiness}");
    let names: Vec<_> =
        readiness["checks"].as_array().unwrap().iter().map(|check| &check["name"]).collect();
    assert_eq!(names, ["postgres", "consumer", "kafka", "registry", "outbox", "publishing"]);
    let (status, problem) = fixture.get("/api/pharmacy/orders").await.unwrap();
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/unavailable")));

    fixture.postgres_up().await;
    eventually("its tables are up to date", async || is_ready(&fixture, "/readyz").await.0).await;
    let empty = json!({"items": [], "nextCursor": null});
    assert_eq!(fixture.get("/api/pharmacy/orders").await.unwrap(), (200, empty));

    fixture.kafka_up();
    eventually("it has joined its group", async || {
        is_ready(&fixture, "/readyz").await == (true, true)
    })
    .await;

    fixture.registry_up().await;
    let (corrupt, order) = (new_order("Ada"), new_order("Ada"));
    fixture.publish(&corrupt, |payload| payload.truncate(20)).await;
    fixture.publish(&order, |_| {}).await;
    eventually("the order is shown", async || shows(&fixture, &order).await).await;
    eventually("the corrupt record is a dead letter", async || list(&fixture).await.0 == 1).await;
    assert!(!shows(&fixture, &corrupt).await);

    let (retried, output) = operate(&fixture, &["retry", "--all"]).await;
    assert!(!retried && output.contains("still cannot be processed"), "{output}");
    let number = list(&fixture).await.1;
    let (discarded, output) = operate(&fixture, &["discard", &number]).await;
    assert!(discarded, "{output}");
    assert_eq!(list(&fixture).await.0, 0);

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), service).await.unwrap().unwrap().unwrap();
    assert_eq!(fixture.get("/livez").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_stops_on_shutdown_while_everything_is_down() {
    let fixture = Fixture::all_down().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(fixture.config(), stop.clone()));
    eventually("it listens", async || fixture.get("/livez").await.is_some()).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), service).await.unwrap().unwrap().unwrap();
}

async fn is_ready(fixture: &Fixture, path: &str) -> (bool, bool) {
    fixture.get(path).await.map_or((false, false), |(_, readiness)| ready(&readiness))
}

/// Whether Postgres is ready, and whether the consumer is ready.
fn ready(readiness: &Value) -> (bool, bool) {
    let checks = readiness["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().any(|it| it["name"] == name && it["ready"] == true);
    (of("postgres"), of("consumer"))
}

async fn shows(fixture: &Fixture, order: &Order) -> bool {
    fixture.get(&path_of(order.id())).await.is_some_and(|(status, _)| status == 200)
}

/// The number of open dead letters, and the id of the first one.
async fn list(fixture: &Fixture) -> (usize, String) {
    let (listed, letters) = operate(fixture, &["list"]).await;
    assert!(listed, "{letters}");
    let number = letters.split('\t').next().unwrap_or_default().to_owned();
    (letters.lines().count(), number)
}

/// Runs a `dead-letters` command. Returns whether it succeeded, and its output.
async fn operate(fixture: &Fixture, command: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pharmacy-order"))
        .env("DATABASE_URL", fixture.database_url())
        .env("SCHEMA_REGISTRY_URL", fixture.kafka_args().schema_registry_url)
        .arg("dead-letters")
        .args(command)
        .output()
        .await
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    println!("{command:?} {}: {log}", output.status);
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}
