//! The command `recover`, after the database of the pharmacy was lost.

use std::process::{Command, Output};

use adapter_avro::encode_pharmacy_event;
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::Database;
use application::pharmacy::PharmacyOrders as _;
use domain::pharmacy::WorkStatus;
use embedded_postgres::testing::fresh_database;
use test_support::{eventually, new_order};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn lost_work_is_recovered_from_the_topic_and_a_repeat_changes_nothing() {
    let fixture = Fixture::only_kafka_up().await;
    fixture.postgres_up().await;
    fixture.registry_up().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(fixture.config(), stop.clone()));
    let order = new_order("Ada");
    fixture.publish(&order, |_| {}).await;
    let path = path_of(order.id());
    eventually("the pharmacy has the order", async || {
        fixture.get(&path).await.is_some_and(|(status, _)| status == 200)
    })
    .await;
    for action in ["confirm", "start"] {
        assert_eq!(fixture.act(&path, action).await, 200);
    }
    let backlog = async || fixture.get("/api/outbox").await.unwrap().1["unprocessed"] == 0;
    eventually("everything is published", backlog).await;
    stop.cancel();
    service.await.unwrap().unwrap();

    let lost = fresh_database().await.unwrap();
    let command = |arguments: &[&str]| -> Output {
        let kafka = fixture.kafka_args();
        Command::new(env!("CARGO_BIN_EXE_pharmacy-order"))
            .args(arguments)
            .env("DATABASE_URL", lost.url())
            .env("KAFKA_BOOTSTRAP_SERVERS", kafka.kafka_bootstrap_servers)
            .env("SCHEMA_REGISTRY_URL", kafka.schema_registry_url)
            .output()
            .unwrap()
    };
    assert!(command(&["migrate"]).status.success());
    for recovered in [2, 0] {
        let output = command(&["recover"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = format!("2 events read; {recovered} were missing and are recovered\n");
        assert_eq!(text, expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
    let database = Database::new(&pharmacy::TABLES, &lost.args(), "test").unwrap();
    let orders = PgPharmacyOrders::new(&database, encode_pharmacy_event);
    let found = orders.find_all(&[order.id()]).await.unwrap();
    assert_eq!(found[0].order.status(), &WorkStatus::InPreparation);
    assert_eq!(found[0].order.snapshot().contents, None);
}
