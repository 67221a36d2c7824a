use std::process::Command;

use application::inbox::Inbox;
use application::notification::{
    ChannelName, ClaimRequest, Claimed, Lease, Notifications, SendOutcome, Settled,
};
use application::testing::sample;
use axum::http::StatusCode;
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Fixture, cancelled, created};

/// The oldest notification, leased.
async fn claim(fixture: &Fixture) -> Vec<Claimed> {
    let request = ClaimRequest {
        channel: ChannelName::Log,
        lease: Lease::new(Uuid::nil()),
        hold: std::time::Duration::from_mins(1),
        limit: 1,
        per_destination: 2,
        busy: &[],
        failing: 8,
    };
    fixture.notifications.claim(request).await.unwrap()
}

async fn settle(fixture: &Fixture, outcome: SendOutcome) {
    let claimed = claim(fixture).await.remove(0);
    let (id, lease) = (claimed.notification.id, claimed.lease);
    let settled = Settled { id, lease, outcome, attempt: None, endpoint: None };
    assert_eq!(fixture.notifications.settle(&[settled]).await.unwrap(), 1);
}

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
        for time in ["recordedAt", "dueAt"] {
            let at: domain::Timestamp = item[time].take().as_str().unwrap().parse().unwrap();
            assert!(at >= placed.occurred_at);
        }
        assert!(item["id"].take().is_i64());
    }
    let notification = |event: &str, version: i64, event_type: &str| {
        json!({
            "id": null, "eventId": event, "channel": "log", "destination": "log",
            "orderId": id.to_string(), "orderVersion": version, "eventType": event_type,
            "state": "pending", "attempts": 0, "recordedAt": null, "dueAt": null,
        })
    };
    let expected = [
        notification(&placed.event_id.to_string(), 1, "order.created"),
        notification(&cancellation.event_id.to_string(), 2, "order.cancelled"),
    ];
    assert_eq!(items[..], expected);
}

#[tokio::test]
async fn a_notification_shows_whether_it_was_sent_and_why_not() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    fixture.receive(&[created(id), cancelled(id)]).await;
    for outcome in [SendOutcome::Sent, SendOutcome::Failed("no such customer".to_owned())] {
        settle(&fixture, outcome).await;
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
async fn a_failed_notification_is_retried_and_another_is_not() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    fixture.receive(&[created(id)]).await;
    let (_, list) = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    let path = format!("/api/notifications/{}/retry", list["items"][0]["id"]);
    let (status, problem) = fixture.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["type"], "/problems/illegal-transition");
    settle(&fixture, SendOutcome::Failed("no such customer".to_owned())).await;
    let (status, retried) = fixture.post(&path, json!({})).await;
    assert_eq!((status, &retried["state"]), (StatusCode::OK, &json!("pending")));
    assert_eq!(claim(&fixture).await.len(), 1);
    let (status, _) = fixture.post("/api/notifications/999/retry", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn notifications_are_retried_by_a_filter() {
    let fixture = Fixture::new().await;
    let orders = [(); 3].map(|()| clock::new_order_id());
    fixture.receive(&orders.map(created)).await;
    settle(&fixture, SendOutcome::Failed("no such customer".to_owned())).await;
    settle(&fixture, SendOutcome::Suppressed("no contact".to_owned())).await;
    let retry = async |body| fixture.post("/api/notifications/retry", body).await;
    for (body, count) in [
        (json!({"channel": "email"}), 0),
        (json!({"destination": "c-1"}), 0),
        (json!({"orderId": orders[2].to_string()}), 0),
        (json!({"state": "failed", "orderId": orders[0].to_string()}), 1),
        (json!({}), 1),
        (json!({}), 0),
    ] {
        let (status, report) = retry(body.clone()).await;
        assert_eq!((status, &report["retried"]), (StatusCode::OK, &json!(count)), "{body}");
    }
    for (body, pointer) in [
        (json!({"state": "sent"}), "#/state"),
        (json!({"channel": "fax"}), "#/channel"),
        (json!({"destination": "c\u{0}1"}), "#/destination"),
        (json!({"order": 1}), "#/order"),
    ] {
        let (status, problem) = retry(body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let (status, _) = fixture.get("/api/notifications?destination=c%001").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_unknown_order_has_no_notifications() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    let answer = fixture.get(&format!("/api/notifications?orderId={id}")).await;
    assert_eq!(answer, (StatusCode::OK, json!({"items": []})));
}

#[tokio::test]
async fn notifications_are_listed_page_by_page() {
    let fixture = Fixture::new().await;
    let events: Vec<_> = (0..5).map(|_| created(clock::new_order_id())).collect();
    fixture.receive(&events).await;
    let (mut seen, mut path) = (Vec::new(), "/api/notifications?limit=2".to_owned());
    loop {
        let (_, page) = fixture.get(&path).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|one| one["eventId"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/api/notifications?limit=2&cursor={cursor}");
    }
    let expected: Vec<_> = events.iter().map(|event| event.event_id.to_string()).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_wrong_parameter_is_a_problem() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    for (query, parameter) in [
        ("?orderId=".to_owned(), "orderId"),
        ("?orderId=1".to_owned(), "orderId"),
        (format!("?orderId={id}&orderId={id}"), "orderId"),
        (format!("?orderid={id}"), "orderid"),
        ("?state=done".to_owned(), "state"),
        ("?channel=fax".to_owned(), "channel"),
        ("?limit=101".to_owned(), "limit"),
        ("?cursor=x".to_owned(), "cursor"),
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
    for path in ["/api/notifications", "/api/customers/c-1", "/api/webhooks"] {
        let (status, problem) = fixture.get(path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    }
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
async fn looking_for_dead_letters_or_notifications_does_not_create_tables() {
    let fresh = fresh_database().await.unwrap();
    for command in ["dead-letters", "notifications"] {
        let output = Command::new(env!("CARGO_BIN_EXE_notification"))
            .args([command, "list"])
            .env("DATABASE_URL", fresh.url())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let expected =
            "this database has no tables of schema notification; run `notification migrate`";
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
    }
}

#[tokio::test]
async fn the_api_is_as_documented() {
    let fixture = Fixture::new().await;
    let (_, document): (_, Value) = fixture.get("/openapi.json").await;
    insta::assert_json_snapshot!(document);
}
