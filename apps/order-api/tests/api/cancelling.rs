use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::ordering::PharmacyNews;
use serde_json::{Value, json};

use crate::client::{Answer, Client, post, rejected};

fn path(order: &Value) -> String {
    format!("/api/orders/{}/cancel", order["orderId"].as_str().unwrap())
}

async fn cancel_if(client: &Client, order: &Value, if_match: &str) -> Answer {
    let mut request = post(&path(order), r#"{"reason":"too late"}"#);
    request.headers_mut().insert("if-match", if_match.parse().unwrap());
    client.send(request).await
}

#[tokio::test]
async fn a_request_to_cancel_is_stored_and_the_order_shows_it() {
    let client = Client::new().await;
    let order = client.placed().await;
    let answer = client.post(&path(&order), r#"{"reason":" ordered by mistake "}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.header("preference-applied"), None);
    let requested = answer.json();
    assert_eq!(requested["status"], "cancellation_requested");
    assert_eq!(requested["version"], 2);
    assert_eq!(requested["cancellation"]["reason"], "ordered by mistake");
    assert!(requested["cancellation"]["at"].as_str() >= order["createdAt"].as_str());
    let id = order["orderId"].as_str().unwrap();
    assert_eq!(client.get(&format!("/api/orders/{id}")).await.json(), requested);
    let types: Vec<_> = client.events().await.into_iter().map(|e| e.event_type).collect();
    assert_eq!(types, ["OrderCreated", "OrderCancellationRequested"]);
}

#[tokio::test]
async fn an_order_is_cancelled_when_the_pharmacy_agrees() {
    let client = Client::new().await;
    let order = client.placed().await;
    let requested = client.post(&path(&order), r#"{"reason":"first"}"#).await.json();
    client.follow(&order, PharmacyNews::Cancelled).await;

    let cancelled = client.order(&order).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["version"], 3);
    assert_eq!(cancelled["cancellation"]["reason"], "first");
    let statuses: Vec<_> = cancelled["history"].as_array().unwrap().iter().collect();
    assert_eq!(statuses[..2], requested["history"].as_array().unwrap().iter().collect::<Vec<_>>());
    assert_eq!(statuses[2]["status"], "cancelled");
    assert_eq!(statuses[2]["at"], cancelled["cancellation"]["at"]);

    let again = client.post(&path(&order), r#"{"reason":"second"}"#).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json(), cancelled);
    assert_eq!(client.events().await.len(), 3);
}

#[tokio::test]
async fn a_second_request_changes_nothing() {
    let client = Client::new().await;
    let order = client.placed().await;
    let first = client.post(&path(&order), r#"{"reason":"first"}"#).await;
    let second = client.post(&path(&order), r#"{"reason":"second"}"#).await;
    assert_eq!(second.status, StatusCode::ACCEPTED);
    assert_eq!(second.json(), first.json());
    assert_eq!(client.events().await.len(), 2);
}

#[tokio::test]
async fn an_order_that_is_completed_or_rejected_cannot_be_cancelled() {
    let client = Client::new().await;
    for (news, status) in [(PharmacyNews::Dispensed, "completed"), (rejected(), "rejected")] {
        let order = client.placed().await;
        client.follow(&order, news).await;
        let problem = client.post(&path(&order), "").await.problem(409, "not-cancellable");
        let detail = format!("an order with status {status} cannot be cancelled");
        assert_eq!(problem["detail"], detail);
        assert_eq!(client.order(&order).await["status"], status);
    }
    assert_eq!(client.events().await.len(), 4);
}

#[tokio::test]
async fn an_order_shows_its_progress_after_the_pharmacy_has_declined() {
    let client = Client::new().await;
    let order = client.placed().await;
    client.post(&path(&order), "").await;
    client.follow(&order, PharmacyNews::Dispensed).await;
    assert_eq!(client.order(&order).await["status"], "cancellation_requested");
    client.follow(&order, PharmacyNews::CancellationDeclined).await;
    let shown = client.order(&order).await;
    assert_eq!(shown["status"], "completed");
    assert_eq!(shown["cancellation"], Value::Null);
    client.post(&path(&order), "").await.problem(409, "not-cancellable");
}

#[tokio::test]
async fn a_request_needs_no_reason_and_no_body() {
    let client = Client::new().await;
    for body in ["", "{}", r#"{"reason":null}"#] {
        let order = client.placed().await;
        let answer = client.post(&path(&order), body).await.json();
        assert_eq!(answer["cancellation"]["reason"], "no reason given");
    }
    let order = client.placed().await;
    let bare = Request::post(path(&order)).body(Body::empty()).unwrap();
    assert_eq!(client.send(bare).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_invalid_reason_is_refused_with_a_pointer_and_nothing_is_stored() {
    let client = Client::new().await;
    let order = client.placed().await;
    for (body, pointer) in [
        (json!({"reason": ""}), "#/reason"),
        (json!({"reason": "é".repeat(501)}), "#/reason"),
        (json!({"reason": "\u{0}"}), "#/reason"),
        (json!({"reason": 1}), "#/reason"),
        (json!({"why": "x"}), "#/why"),
        (json!(["x"]), "#"),
    ] {
        let answer = client.post(&path(&order), body.to_string()).await;
        assert_eq!(answer.places(422, "invalid-body", "pointer"), [pointer], "{body}");
    }
    client.post(&path(&order), "x").await.problem(400, "malformed-body");
    assert_eq!(client.events().await.len(), 1);
}

#[tokio::test]
async fn a_request_about_another_version_is_refused() {
    let client = Client::new().await;
    let order = client.placed().await;
    for other in ["\"2\"", "W/\"1\"", "\"x\"", "\"2\", \"3\""] {
        cancel_if(&client, &order, other).await.problem(412, "precondition-failed");
    }
    let answer = cancel_if(&client, &order, "1").await;
    assert_eq!(answer.places(400, "invalid-parameter", "header"), ["If-Match"]);
    assert_eq!(client.events().await.len(), 1);

    assert_eq!(cancel_if(&client, &order, "\"0\", \"1\"").await.status, StatusCode::ACCEPTED);
    cancel_if(&client, &order, "\"1\"").await.problem(412, "precondition-failed");
    assert_eq!(cancel_if(&client, &order, "\"2\"").await.status, StatusCode::ACCEPTED);
    assert_eq!(cancel_if(&client, &order, "*").await.status, StatusCode::ACCEPTED);
    assert_eq!(client.events().await.len(), 2);
}

#[tokio::test]
async fn a_repeated_request_with_a_key_gets_the_original_answer() {
    let client = Client::new().await;
    let order = client.placed().await;
    let keyed = |reason: &str| {
        let mut request = post(&path(&order), json!({"reason": reason}).to_string());
        request.headers_mut().insert("idempotency-key", "c".parse().unwrap());
        // The order has one of these versions at the first request, and none at the others.
        request.headers_mut().insert("if-match", "\"0\", \"1\"".parse().unwrap());
        client.send(request)
    };
    let first = keyed("first").await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(keyed("first").await.json(), first.json());
    keyed("second").await.problem(422, "idempotency-key-reused");

    client.follow(&order, PharmacyNews::Cancelled).await;
    let again = keyed("first").await;
    assert_eq!((again.status, again.json()), (StatusCode::ACCEPTED, first.json()));
}
