//! `Prefer: wait=N` of a request to cancel an order.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::ordering::PharmacyNews;
use serde_json::Value;
use test_support::eventually;

use crate::client::{Answer, Client};

async fn cancel(client: &Client, order: &Value, prefer: &[&str], key: Option<&str>) -> Answer {
    let mut request =
        Request::post(format!("/api/orders/{}/cancel", order["orderId"].as_str().unwrap()));
    for prefer in prefer {
        request = request.header("prefer", *prefer);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    client.send(request.body(Body::empty()).unwrap()).await
}

/// Waits until the request is stored, and then follows the pharmacy.
async fn follow_when_requested(client: &Client, order: &Value, news: PharmacyNews) {
    eventually("the cancellation is requested", async || {
        client.order(order).await["status"] == "cancellation_requested"
    })
    .await;
    client.follow(order, news).await;
}

#[tokio::test]
async fn a_client_that_waits_sees_that_the_order_is_cancelled() {
    let client = Client::new().await;
    let order = client.placed().await;
    let (answer, ()) = tokio::join!(
        cancel(&client, &order, &["respond-async, Wait = 10"], None),
        follow_when_requested(&client, &order, PharmacyNews::Cancelled),
    );
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("preference-applied"), Some("wait=10"));
    assert_eq!(answer.header("etag"), Some("\"3\""));
    assert_eq!(answer.json()["status"], "cancelled");
}

#[tokio::test]
async fn a_client_that_waits_sees_that_the_pharmacy_has_declined() {
    let client = Client::new().await;
    let order = client.placed().await;
    client.follow(&order, PharmacyNews::Ready).await;
    let (answer, ()) = tokio::join!(
        cancel(&client, &order, &["wait=10"], None),
        follow_when_requested(&client, &order, PharmacyNews::CancellationDeclined),
    );
    let problem = answer.problem(409, "not-cancellable");
    assert_eq!(problem["detail"], "the pharmacy has declined to cancel the order");
    assert_eq!(answer.header("preference-applied"), Some("wait=10"));
}

#[tokio::test]
async fn a_client_that_waits_gets_the_request_when_the_time_is_over() {
    let client = Client::new().await;
    let order = client.placed().await;
    let start = Instant::now();
    let answer = cancel(&client, &order, &["wait=1"], None).await;
    let waited = start.elapsed();
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.header("preference-applied"), Some("wait=1"));
    assert_eq!(answer.json()["status"], "cancellation_requested");
    assert!(waited >= Duration::from_millis(500), "{waited:?}");
}

#[tokio::test]
async fn a_retry_that_waits_sees_the_answer_to_the_first_request() {
    let client = Client::new().await;
    for (news, status) in
        [(PharmacyNews::Cancelled, 200), (PharmacyNews::CancellationDeclined, 409)]
    {
        let order = client.placed().await;
        let key = Some(order["orderId"].as_str().unwrap());
        assert_eq!(cancel(&client, &order, &[], key).await.status, StatusCode::ACCEPTED);
        client.follow(&order, news).await;
        assert_eq!(cancel(&client, &order, &["wait=99"], key).await.status, status);
    }
}

#[tokio::test]
async fn a_malformed_preference_is_ignored() {
    let client = Client::new().await;
    let order = client.placed().await;
    for prefer in [&["wait"][..], &["wait=0"], &["wait=-1"], &["wait=x", "wait=5"], &[""]] {
        let answer = cancel(&client, &order, prefer, None).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{prefer:?}: {}", answer.body);
        assert_eq!(answer.header("preference-applied"), None, "{prefer:?}");
    }
}

#[tokio::test]
async fn a_client_does_not_wait_for_an_order_that_is_cancelled() {
    let client = Client::new().await;
    let order = client.placed().await;
    client.follow(&order, PharmacyNews::Cancelled).await;
    let answer = cancel(&client, &order, &["wait=10"], None).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("preference-applied"), None);
}

#[tokio::test]
async fn requests_that_wait_leave_room_for_others() {
    // A quarter of the requests may wait: two of eight.
    let client = Client::with_max_in_flight(8).await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(client.placed().await);
    }
    let wait = async |order: &Value| cancel(&client, order, &["wait=2"], None).await;
    let [a, b, c, d] = orders.as_slice() else { panic!("four orders") };
    let answers = <[Answer; 4]>::from(tokio::join!(wait(a), wait(b), wait(c), wait(d)));
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    }
    let waited = answers.iter().filter(|a| a.header("preference-applied").is_some()).count();
    assert_eq!(waited, 2);
}
