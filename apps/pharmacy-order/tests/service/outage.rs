use std::time::Duration;

use domain::ordering::Order;
use serde_json::{Value, json};
use test_support::{eventually, new_order};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::world::{World, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_with_everything_down_recovers_by_itself_and_stops_when_told() {
    let world = World::all_down().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(world.config(), stop.clone()));

    eventually("it listens", async || world.get("/livez").await.is_some()).await;
    let (status, readiness) = world.get("/readyz").await.unwrap();
    assert_eq!((status, ready(&readiness)), (503, (false, false)), "{readiness}");
    let (status, problem) = world.get("/api/pharmacy/orders").await.unwrap();
    assert_eq!((status, &problem["type"]), (503, &json!("/problems/unavailable")));

    world.postgres_up().await;
    eventually("its tables are there", async || is_ready(&world, "/readyz").await.0).await;
    let empty = json!({"items": [], "nextCursor": null});
    assert_eq!(world.get("/api/pharmacy/orders").await.unwrap(), (200, empty));

    world.kafka_up();
    eventually("it is in its group", async || is_ready(&world, "/readyz").await == (true, true))
        .await;

    world.registry_up().await;
    let (spoilt, order) = (new_order("Ada"), new_order("Ada"));
    world.publish(&spoilt, |payload| payload.truncate(20)).await;
    world.publish(&order, |_| {}).await;
    eventually("the order is shown", async || shows(&world, &order).await).await;
    eventually("the spoilt record is a dead letter", async || list(&world).await.0 == 1).await;
    assert!(!shows(&world, &spoilt).await);

    let (retried, said) = operate(&world, &["retry", "--all"]).await;
    assert!(!retried && said.contains("still has no effect"), "{said}");
    let number = list(&world).await.1;
    let (discarded, said) = operate(&world, &["discard", &number]).await;
    assert!(discarded, "{said}");
    assert_eq!(list(&world).await.0, 0);

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), service).await.unwrap().unwrap().unwrap();
    assert_eq!(world.get("/livez").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_told_even_while_it_waits_for_everything() {
    let world = World::all_down().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(world.config(), stop.clone()));
    eventually("it listens", async || world.get("/livez").await.is_some()).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), service).await.unwrap().unwrap().unwrap();
}

async fn is_ready(world: &World, path: &str) -> (bool, bool) {
    world.get(path).await.map_or((false, false), |(_, readiness)| ready(&readiness))
}

/// Whether Postgres is ready, and Kafka.
fn ready(readiness: &Value) -> (bool, bool) {
    let checks = readiness["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().any(|it| it["name"] == name && it["ready"] == true);
    (of("postgres"), of("kafka"))
}

async fn shows(world: &World, order: &Order) -> bool {
    world.get(&path_of(order.id())).await.is_some_and(|(status, _)| status == 200)
}

/// How many dead letters are open, and the number of the first.
async fn list(world: &World) -> (usize, String) {
    let (listed, letters) = operate(world, &["list"]).await;
    assert!(listed, "{letters}");
    let number = letters.split('\t').next().unwrap_or_default().to_owned();
    (letters.lines().count(), number)
}

/// Runs the program's own command; answers whether all was done, and what it said.
async fn operate(world: &World, command: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pharmacy-order"))
        .env("DATABASE_URL", world.database_url())
        .env("SCHEMA_REGISTRY_URL", world.kafka_args().schema_registry_url)
        .arg("dead-letters")
        .args(command)
        .output()
        .await
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    println!("{command:?} {}: {log}", output.status);
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}
