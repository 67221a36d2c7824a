use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::client::{Client, a_full_order, an_order, post};

/// An order with another value at this JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut order = an_order();
    *order.pointer_mut(pointer).unwrap() = value;
    order
}

fn items(count: i64) -> Value {
    (1..=count).map(|n| json!({"productId": n, "quantity": 1})).collect()
}

#[tokio::test]
async fn an_invalid_body_is_refused_with_a_pointer_and_nothing_is_stored() {
    let client = Client::new().await;
    let (name, quantity, product) = ("#/customerName", "#/items/0/quantity", "#/items/0/productId");
    let cases = [
        (with("/customerName", json!("")), name),
        (with("/customerName", json!(" \t\n ")), name),
        (with("/customerName", json!("é".repeat(201))), name),
        (with("/customerName", json!("Ada\u{0}")), name),
        (with("/customerName", json!("A\u{7}da")), name),
        (with("/customerName", json!("\u{2060}\u{3164}")), name),
        (with("/customerName", json!("Ada\u{202e}ecalevoL")), name),
        (with("/customerName", json!(7)), name),
        (with("/customerName", json!(null)), name),
        (with("/items", json!([])), "#/items"),
        (with("/items", items(101)), "#/items"),
        (with("/items", json!(null)), "#/items"),
        (with("/items", json!({"0": 1})), "#/items"),
        (with("/items/0", json!(null)), "#/items/0"),
        (with("/items/0", json!([7, 2])), "#/items/0"),
        (with("/items/0/quantity", json!(0)), quantity),
        (with("/items/0/quantity", json!(-1)), quantity),
        (with("/items/0/quantity", json!(1000)), quantity),
        (with("/items/0/quantity", json!(9_223_372_036_854_775_808_u64)), quantity),
        (with("/items/0/quantity", json!(i64::MAX)), quantity),
        (with("/items/0/quantity", json!(1.5)), quantity),
        (with("/items/0/quantity", json!("2")), quantity),
        (with("/items/0/quantity", json!(true)), quantity),
        (with("/items/0/productId", json!(0)), product),
        (with("/items/0/productId", json!(-7)), product),
        (with("/items/0/productId", json!(1e30)), product),
        (with("/items/0", json!({"productId": 7})), quantity),
        (with("/items/0", json!({"quantity": 7})), product),
        (with("/items/0", json!({"productId": 7, "quantity": 2, "price": 1})), "#/items/0/price"),
        (json!({"customerName": "Ada"}), "#/items"),
        (json!({"items": items(1)}), name),
        (json!({"customerName": "Ada", "items": items(1), "status": "created"}), "#/status"),
        (json!({"customer_name": "Ada", "items": items(1)}), "#/customer_name"),
        (json!([]), "#"),
        (json!("order"), "#"),
    ];
    for (body, pointer) in cases {
        let answer = client.place(&body).await;
        let pointers = answer.places(422, "invalid-body", "pointer");
        assert_eq!(pointers, [pointer], "{body}: {}", answer.body);
    }
    client.assert_nothing_stored("bodies that break a rule").await;
}

#[tokio::test]
async fn an_invalid_optional_value_is_refused_with_a_pointer_and_nothing_is_stored() {
    let client = Client::new().await;
    let medication = "#/items/0/medication";
    let in_medication = |member: &str, value: Value| {
        let mut order = a_full_order();
        order["items"][0]["medication"][member] = value;
        (order, format!("{medication}/{member}"))
    };
    let instead = |value: Value| {
        let mut order = a_full_order();
        order["items"][0]["medication"] = value;
        order
    };
    let note = |value: Value| {
        let mut order = a_full_order();
        order["note"] = value;
        (order, "#/note".to_owned())
    };
    let customer_id = |value: Value| {
        let mut order = a_full_order();
        order["customerId"] = value;
        (order, "#/customerId".to_owned())
    };
    let cases = [
        customer_id(json!("")),
        customer_id(json!(" c-1815")),
        customer_id(json!("ada@example.com")),
        customer_id(json!("Ada Lovelace")),
        customer_id(json!("é")),
        customer_id(json!("c\u{0}")),
        customer_id(json!("x".repeat(65))),
        customer_id(json!(1815)),
        in_medication("system", json!("")),
        in_medication("system", json!("snomed")),
        in_medication("system", json!("http:")),
        in_medication("system", json!("http://snomed.info/sct ")),
        in_medication("system", json!(format!("urn:{}", "a".repeat(197)))),
        in_medication("system", json!(null)),
        in_medication("system", json!(7)),
        in_medication("code", json!("")),
        in_medication("code", json!(" 1")),
        in_medication("code", json!("1  2")),
        in_medication("code", json!("1\t2")),
        in_medication("code", json!("1\u{0}")),
        in_medication("code", json!("\u{200b}")),
        in_medication("code", json!("1\u{feff}")),
        in_medication("code", json!("1\u{200d}2")),
        in_medication("code", json!("1\u{202e}2")),
        in_medication("code", json!("1\u{e000}")),
        in_medication("code", json!("1".repeat(65))),
        in_medication("code", json!(387_517_004)),
        in_medication("display", json!(" ")),
        in_medication("display", json!("\u{2800}")),
        in_medication("display", json!("a\u{2066}b")),
        in_medication("display", json!("a\nb")),
        in_medication("display", json!("é".repeat(201))),
        in_medication("display", json!(["Paracetamol"])),
        in_medication("version", json!("2026")),
        (instead(json!({"code": "387517004"})), format!("{medication}/system")),
        (instead(json!({"system": "http://snomed.info/sct"})), format!("{medication}/code")),
        (instead(json!("387517004")), medication.to_owned()),
        (instead(json!(["http://snomed.info/sct", "387517004"])), medication.to_owned()),
        note(json!("")),
        note(json!("\r\n \n")),
        note(json!("\u{feff}\n\u{200b}")),
        note(json!("a\u{200f}b")),
        note(json!("a\tb")),
        note(json!("a\rb")),
        note(json!("a\u{0}b")),
        note(json!("é".repeat(1001))),
        note(json!(7)),
        note(json!({"text": "Please ring twice"})),
    ];
    for (body, pointer) in cases {
        let answer = client.place(&body).await;
        let pointers = answer.places(422, "invalid-body", "pointer");
        assert_eq!(pointers, [pointer], "{body}: {}", answer.body);
    }
    client.assert_nothing_stored("optional values that break a rule").await;
}

#[tokio::test]
async fn all_errors_are_reported_at_once() {
    let client = Client::new().await;
    let items = json!([
        {"productId": 1, "quantity": 0},
        {"productId": 0, "quantity": 1000},
        {"productId": 1, "quantity": 2},
        {"productId": 2, "quantity": -1, "medication": {"system": "", "code": "", "display": ""}},
        {"productId": 1, "quantity": 2},
    ]);
    let body = json!({"customerName": "", "customerId": "", "items": items, "note": ""});
    let answer = client.place(&body).await;
    let pointers = answer.places(422, "invalid-body", "pointer");
    let expected = [
        "#/customerName",
        "#/customerId",
        "#/items/0/quantity",
        "#/items/1/productId",
        "#/items/1/quantity",
        "#/items/2/productId",
        "#/items/3/quantity",
        "#/items/3/medication/system",
        "#/items/3/medication/code",
        "#/items/3/medication/display",
        "#/items/4/productId",
        "#/note",
    ];
    assert_eq!(pointers, expected, "{}", answer.body);
    client.assert_nothing_stored("an order with many errors").await;
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_and_nothing_is_stored() {
    let client = Client::new().await;
    for body in ["", "{", "order", "{\"customerName\": \"Ada\",}", "\u{feff}{}", "{} {}"] {
        client.post("/api/orders", body).await.problem(400, "malformed-body");
    }
    let not_utf8 = b"{\"customerName\":\"\xff\",\"items\":[]}".to_vec();
    client.post("/api/orders", not_utf8).await.problem(400, "malformed-body");
    let deep = "[".repeat(60_000);
    client.post("/api/orders", deep).await.problem(400, "malformed-body");
    client.assert_nothing_stored("bodies that are not JSON").await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_has_another_content_type_is_refused_and_nothing_is_stored() {
    let client = Client::new().await;
    let padded = format!("{}{}", an_order(), " ".repeat(64 * 1024));
    client.post("/api/orders", padded).await.problem(413, "body-too-large");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let request = Request::post("/api/orders").header("content-type", content_type);
        let request = request.body(Body::from(an_order().to_string())).unwrap();
        client.send(request).await.problem(415, "unsupported-media-type");
    }
    let without_type =
        Request::post("/api/orders").body(Body::from(an_order().to_string())).unwrap();
    client.send(without_type).await.problem(415, "unsupported-media-type");
    let compressed = Request::post("/api/orders")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(Body::from(an_order().to_string()))
        .unwrap();
    client.send(compressed).await.problem(415, "unsupported-content-encoding");
    client.assert_nothing_stored("large bodies and other content types").await;
}

#[tokio::test]
async fn a_wrong_method_or_route_is_a_problem() {
    let client = Client::new().await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (method, path, allow) in [
        ("PUT", "/api/orders".to_owned(), "POST,GET,HEAD"),
        ("DELETE", format!("/api/orders/{id}"), "GET,HEAD"),
        ("GET", format!("/api/orders/{id}/cancel"), "POST"),
    ] {
        let request = Request::builder().method(method).uri(&path).body(Body::empty()).unwrap();
        let answer = client.send(request).await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    for path in ["/api", "/api/order", "/api/orders/", "/api/orders/a/b", "/favicon.ico"] {
        client.get(path).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_wrong_id_is_named_and_an_unknown_one_is_not_found() {
    let client = Client::new().await;
    for id in ["1", "x", "01890a5d-ac96-774b-bcce-b302099a805", "%00", "'%20OR%20true"] {
        let names = client.get(&format!("/api/orders/{id}")).await;
        assert_eq!(names.places(400, "invalid-parameter", "parameter"), ["id"]);
        let names = client.post(&format!("/api/orders/{id}/cancel"), "{}").await;
        assert_eq!(names.places(400, "invalid-parameter", "parameter"), ["id"]);
    }
    let unknown = "/api/orders/01890a5d-ac96-774b-bcce-b302099a8057";
    client.get(unknown).await.problem(404, "not-found");
    client.post(&format!("{unknown}/cancel"), "{}").await.problem(404, "not-found");
}

#[tokio::test]
async fn a_wrong_query_is_named() {
    let client = Client::new().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=01890A5DAC96774BBCCEB302099A8057", "cursor"),
        ("status=shipped", "status"),
        ("status=Created", "status"),
        ("sort=asc", "sort"),
    ] {
        let answer = client.get(&format!("/api/orders?{query}")).await;
        assert_eq!(answer.places(400, "invalid-parameter", "parameter"), [name], "{query}");
    }
}

#[tokio::test]
async fn a_wrong_idempotency_key_is_named_and_nothing_is_stored() {
    let client = Client::new().await;
    for key in [&b""[..], b"two words", b"\xc3\xa9", &[b'k'; 256]] {
        let mut request = post("/api/orders", an_order().to_string());
        request.headers_mut().insert("idempotency-key", key.try_into().unwrap());
        let answer = client.send(request).await;
        let names = answer.places(400, "invalid-parameter", "header");
        assert_eq!(names, ["Idempotency-Key"]);
    }
    client.assert_nothing_stored("wrong idempotency keys").await;
}
