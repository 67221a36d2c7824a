use std::process::Command;

use application::inbox::Inbox;
use application::notification::{
    ChannelName, ClaimLimit, NotificationClaim, Notifications, SendOutcome,
};
use application::testing::sample;
use axum::http::StatusCode;
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use serde_json::{Value, json};

use crate::fixture::{Fixture, cancelled, created};

#[tokio::test]
async fn the_notifications_of_an_order_are_listed_oldest_first() {
    let fixture = Fixture::new().await;
    let (id, other) = (clock::new_order_id(), clock::new_order_id());
    let (placed, cancellation) = (created(id), cancelled(id));
    fixture.receive(&[placed.clone(), created(other), cancellation.clone(), placed.clone()]).await;

    let (status, mut list) = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    assert_eq!(status, StatusCode::OK);
    let items = list["items"].as_array_mut().unwrap();
    for item in items.iter_mut() {
        let recorded_at: domain::Timestamp =
            item["recordedAt"].take().as_str().unwrap().parse().unwrap();
        assert!(recorded_at >= placed.occurred_at);
    }
    let notification = |event: &str, version: i64, message: String| {
        json!({
            "eventId": event, "channel": "log", "orderId": id.to_string(),
            "orderVersion": version, "message": message, "state": "pending", "recordedAt": null,
        })
    };
    let first = format!("Zoë, we have received your order {id}: 3 pieces.");
    let second = format!("Your order {id} has been cancelled: too slow.");
    let expected = [
        notification(&placed.event_id.to_string(), 1, first),
        notification(&cancellation.event_id.to_string(), 2, second),
    ];
    assert_eq!(items[..], expected);
}

#[tokio::test]
async fn a_notification_shows_whether_it_was_sent_and_why_not() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    fixture.receive(&[created(id), cancelled(id)]).await;
    let limit = ClaimLimit { notifications: 10, bytes: 1000 };
    for outcome in [SendOutcome::Sent, SendOutcome::Failed("no such customer".to_owned())] {
        let claim = fixture.notifications.claim(ChannelName::Log, limit).await.unwrap().unwrap();
        claim.settle(&[outcome]).await.unwrap();
    }

    let (_, list) = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    let [sent, failed] = &list["items"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(sent["state"], "sent");
    let sent_at: domain::Timestamp = sent["sentAt"].as_str().unwrap().parse().unwrap();
    assert!(sent_at <= clock::now());
    assert_eq!(sent.get("failureReason"), None);
    assert_eq!((&failed["state"], failed.get("sentAt")), (&json!("failed"), None));
    assert_eq!(failed["failureReason"], "no such customer");
}

#[tokio::test]
async fn an_unknown_order_has_no_notifications() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    let answer = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    assert_eq!(answer, (StatusCode::OK, json!({"items": []})));
}

#[tokio::test]
async fn a_request_without_a_valid_order_id_is_a_problem() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    for (query, parameter) in [
        (String::new(), "orderId"),
        ("?orderId=".to_owned(), "orderId"),
        ("?orderId=1".to_owned(), "orderId"),
        (format!("?orderId={id}&orderId={id}"), "orderId"),
        (format!("?orderid={id}"), "orderid"),
        (format!("?orderId={id}&state=sent"), "state"),
    ] {
        let (status, problem) = fixture.get(&format!("/api/notifications{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(problem["type"], "/problems/invalid-parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
    }
}

#[tokio::test]
async fn the_service_is_unavailable_until_the_tables_are_up_to_date() {
    let fixture = Fixture::without_tables().await;
    let id = clock::new_order_id();
    let (status, problem) = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
}

#[tokio::test]
async fn a_record_that_could_not_be_consumed_is_listed_and_retried() {
    let fixture = Fixture::new().await;
    let dead = [sample::dead_letter(1, 1, "no Avro"), sample::dead_letter(2, 1, "no Avro")];
    fixture.inbox().apply_batch(&[], &dead).await.unwrap();

    let (status, page) = fixture.get("/api/dead-letters?reason=Avro").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let [first, second] = [0, 1].map(|place| page["items"][place]["id"].clone());
    let (_, report) = fixture.post("/api/dead-letters/retry", json!({"ids": [first]})).await;
    assert_eq!(report["results"], json!([{"id": first, "outcome": "retried"}]));
    let order = sample::order_id(1);
    let (_, list) = fixture.get(&format!("/api/notifications?orderId={order}")).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);

    let (_, report) = fixture.post("/api/dead-letters/discard", json!({"all": true})).await;
    assert_eq!(report["results"], json!([{"id": second, "outcome": "discarded"}]));
    let (_, page) = fixture.get("/api/dead-letters?state=discarded").await;
    assert_eq!(page["items"][0]["id"], second);
}

#[tokio::test]
async fn looking_for_dead_letters_does_not_create_tables() {
    let fresh = fresh_database().await.unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_notification"))
        .args(["dead-letters", "list"])
        .env("DATABASE_URL", fresh.url())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = "this database has no tables of schema notification; run `notification migrate`";
    assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
}

#[tokio::test]
async fn the_api_is_as_documented() {
    let fixture = Fixture::new().await;
    let (_, document): (_, Value) = fixture.get("/openapi.json").await;
    insta::assert_json_snapshot!(document);
}
