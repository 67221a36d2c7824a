use axum::http::StatusCode;
use domain::Timestamp;
use runtime::clock;
use serde_json::json;

use crate::client::{Client, a_full_order, an_order, post};

#[tokio::test]
async fn a_placed_order_is_answered_with_its_body_and_location() {
    let client = Client::new().await;
    let before = clock::now();
    let answer = client.place(&an_order()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let body = answer.json();
    let id = body["orderId"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/orders/{id}").as_str()));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("idempotency-replayed"), None);
    let created_at = body["createdAt"].as_str().unwrap();
    assert_eq!(created_at.len(), "2026-01-31T12:00:00.000000Z".len(), "{created_at}");
    let moment: Timestamp = created_at.parse().unwrap();
    assert!(before <= moment && moment <= clock::now());
    let expected = json!({
        "orderId": id,
        "customerName": "Ada Lovelace",
        "status": "created",
        "version": 1,
        "items": [{"productId": 7, "quantity": 2}],
        "createdAt": created_at,
        "history": [{"status": "created", "at": created_at}],
    });
    assert_eq!(body, expected);
    assert_eq!(client.get(answer.header("location").unwrap()).await.json(), body);
}

#[tokio::test]
async fn behind_a_gateway_the_location_has_the_prefix_that_the_gateway_stripped() {
    let client = Client::new().await;
    let mut request = post("/api/orders", an_order().to_string());
    let prefix = "/orders-service".parse().unwrap();
    request.headers_mut().insert("x-forwarded-prefix", prefix);
    let answer = client.send(request).await;
    let id = answer.json()["orderId"].as_str().unwrap().to_owned();
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("/orders-service/api/orders/{id}"));
}

#[tokio::test]
async fn a_note_and_a_medication_are_in_all_answers_about_the_order() {
    let client = Client::new().await;
    let mut request = a_full_order();
    request["items"].as_array_mut().unwrap().extend([
        json!({"productId": 8, "quantity": 1}),
        json!({"productId": 9, "quantity": 1,
               "medication": {"system": "urn:oid:1.2.276.0.76.4.6", "code": "PZN 1"}}),
    ]);
    let placed = client.place(&request).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.body);
    let path = placed.header("location").unwrap();
    let shown = client.get(path).await.json();
    let listed = client.get("/api/orders").await.json()["items"][0].clone();
    let cancelled = client.post(&format!("{path}/cancel"), "").await.json();
    let afterwards = client.get(path).await.json();
    for order in [placed.json(), shown, listed, cancelled, afterwards] {
        assert_eq!(order["note"], request["note"], "{order}");
        assert_eq!(order["items"], request["items"], "{order}");
    }
}

#[tokio::test]
async fn optional_values_that_are_null_are_left_out() {
    let client = Client::new().await;
    let items = json!([
        {"productId": 7, "quantity": 2, "medication": null},
        {"productId": 8, "quantity": 1,
         "medication": {"system": "http://snomed.info/sct", "code": "387517004", "display": null}},
    ]);
    let request =
        json!({"customerName": "Ada Lovelace", "items": items, "note": null, "customerId": null});
    let order = client.place(&request).await.json();
    assert_eq!(order.get("note"), None);
    assert_eq!(order.get("customerId"), None);
    let expected = json!([
        {"productId": 7, "quantity": 2},
        {"productId": 8, "quantity": 1,
         "medication": {"system": "http://snomed.info/sct", "code": "387517004"}},
    ]);
    assert_eq!(order["items"], expected);
}

#[tokio::test]
async fn the_id_of_the_customer_is_in_all_answers_about_the_order() {
    let client = Client::new().await;
    for id in ["c-1815", "7", "A.b_C-9", &"x".repeat(64)] {
        let mut request = an_order();
        request["customerId"] = json!(id);
        let placed = client.place(&request).await;
        assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.body);
        let path = placed.header("location").unwrap();
        let shown = client.get(path).await.json();
        let listed = client.get("/api/orders").await.json()["items"][0].clone();
        let cancelled = client.post(&format!("{path}/cancel"), "").await.json();
        for order in [placed.json(), shown, listed, cancelled] {
            assert_eq!(order["customerId"], id, "{order}");
        }
    }
}

#[tokio::test]
async fn an_order_is_stored_together_with_its_event() {
    let client = Client::new().await;
    let order = client.placed().await;
    let events = client.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].aggregate_id.to_string(), order["orderId"].as_str().unwrap());
    assert_eq!(events[0].event_type, "OrderCreated");
    assert_eq!(events[0].aggregate_version, 1);
    assert_eq!(events[0].occurred_at.to_string(), order["createdAt"].as_str().unwrap());
}

#[tokio::test]
async fn the_event_has_the_trace_of_the_request() {
    let client = Client::new().await;
    let mut request = post("/api/orders", an_order().to_string());
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.headers_mut().insert("traceparent", traceparent.parse().unwrap());
    assert_eq!(client.send(request).await.status, StatusCode::CREATED);
    let events = client.events().await;
    let header = events[0].headers.iter().find(|(name, _)| name == "traceparent");
    let (_, sent) = header.unwrap();
    assert!(sent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{sent}");
    assert!(!sent.contains("00f067aa0ba902b7"), "the request has its own span: {sent}");
}

#[tokio::test]
async fn an_order_at_all_limits_is_accepted() {
    let client = Client::new().await;
    let items: Vec<_> =
        (0..100).map(|n| json!({"productId": i64::MAX - n, "quantity": 999 - n})).collect();
    // Each of these characters has four bytes.
    let name = "𝔸".repeat(200);
    let note = "𝔸\n".repeat(499) + "𝔸𝔸";
    let mut request = json!({"customerName": format!("  {name}\n"), "items": items});
    request["note"] = json!(note.replace('\n', "\r\n"));
    let system = format!("urn:{}", "a".repeat(196));
    let mut items = items;
    items[99]["medication"] =
        json!({"system": system, "code": "𝔸".repeat(64), "display": "𝔸".repeat(200)});
    request["items"] = json!(items);
    let answer = client.place(&request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let order = client.get(answer.header("location").unwrap()).await.json();
    assert_eq!(order["customerName"], name);
    assert_eq!(order["items"], json!(items));
    assert_eq!(order["note"], note);
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_decimal_point() {
    let client = Client::new().await;
    let order = r#"{"customerName":"Ada","items":[{"productId":7.0,"quantity":2e1}]}"#;
    let answer = client.post("/api/orders", order).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.json()["items"], json!([{"productId": 7, "quantity": 20}]));
    // The document promises it: for JSON Schema 2020-12, `7.0` is an integer.
    let document = client.get("/openapi.json").await.json();
    let item = &document["components"]["schemas"]["PlaceOrderItemBody"]["properties"];
    assert_eq!([&item["productId"]["type"], &item["quantity"]["type"]], ["integer"; 2]);
}

#[tokio::test]
async fn a_number_that_is_not_whole_or_much_too_large_is_refused_with_its_pointer() {
    let client = Client::new().await;
    for number in ["2.5", "1e400", "-1e400"] {
        for member in ["productId", "quantity"] {
            let body = format!(r#"{{"customerName": "Ada", "items": [{{"{member}": {number}}}]}}"#);
            let answer = client.post("/api/orders", body).await;
            let pointers = answer.places(422, "invalid-body", "pointer");
            assert_eq!(pointers, [format!("#/items/0/{member}")], "{number}: {}", answer.body);
        }
    }
    client.assert_nothing_stored("numbers that are not whole or too large").await;
}
