use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::{Answer, Client, a_full_order, an_order, post};

async fn place(client: &Client, key: &str, order: &Value) -> Answer {
    let mut request = post("/api/orders", order.to_string());
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    client.send(request).await
}

#[tokio::test]
async fn a_repeat_gets_the_original_answer_even_when_the_order_has_changed() {
    let client = Client::new().await;
    let first = place(&client, "a", &an_order()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.header("idempotency-replayed"), None);
    let path = format!("{}/cancel", first.header("location").unwrap());
    assert_eq!(client.post(&path, "").await.status, StatusCode::ACCEPTED);

    // The same order in another spelling.
    let items = json!([{"quantity": 2, "productId": 7}]);
    let repeat = json!({"items": items, "customerName": " Ada Lovelace "});
    let second = place(&client, "a", &repeat).await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.json(), first.json());
    assert_eq!(client.get("/api/orders").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    let client = Client::new().await;
    assert_eq!(place(&client, "a", &an_order()).await.status, StatusCode::CREATED);
    let mut other = an_order();
    other["items"][0]["quantity"] = json!(3);
    place(&client, "a", &other).await.problem(422, "idempotency-key-reused");
    assert_eq!(place(&client, "b", &other).await.status, StatusCode::CREATED);
    assert_eq!(client.events().await.len(), 2);
}

#[tokio::test]
async fn requests_with_the_same_key_are_compared_with_all_optional_values() {
    let client = Client::new().await;
    let mut spelled_differently = a_full_order();
    spelled_differently["note"] = json!(" Please ring twice\r\n");
    spelled_differently["items"][0]["medication"]["display"] = json!("Paracetamol ");
    let first = place(&client, "a", &a_full_order()).await;
    let repeat = place(&client, "a", &spelled_differently).await;
    assert_eq!(repeat.header("idempotency-replayed"), Some("true"), "{}", repeat.body);
    assert_eq!(repeat.json(), first.json());

    for pointer in ["/note", "/customerId", "/items/0/medication", "/items/0/medication/display"] {
        let mut other = a_full_order();
        other.pointer_mut(pointer).unwrap().take();
        place(&client, "a", &other).await.problem(422, "idempotency-key-reused");
    }
    for pointer in
        ["/note", "/customerId", "/items/0/medication/code", "/items/0/medication/display"]
    {
        let mut other = a_full_order();
        *other.pointer_mut(pointer).unwrap() = json!("1");
        place(&client, "a", &other).await.problem(422, "idempotency-key-reused");
    }
    assert_eq!(client.events().await.len(), 1);
}

#[tokio::test]
async fn each_request_without_a_key_places_an_order() {
    let client = Client::new().await;
    assert_ne!(client.placed().await["orderId"], client.placed().await["orderId"]);
    assert_eq!(client.events().await.len(), 2);
}

#[tokio::test]
async fn concurrent_repeats_place_one_order_and_get_the_same_answer() {
    let client = Client::new().await;
    let order = an_order();
    let (a, b, c, d) = tokio::join!(
        place(&client, "a", &order),
        place(&client, "a", &order),
        place(&client, "a", &order),
        place(&client, "a", &order),
    );
    let answers = [a, b, c, d];
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(answer.json(), answers[0].json());
    }
    let first = |answer: &&Answer| answer.header("idempotency-replayed").is_none();
    assert_eq!(answers.iter().filter(first).count(), 1);
    assert_eq!(client.events().await.len(), 1);
}
