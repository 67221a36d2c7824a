use axum::http::StatusCode;

use crate::client::{Client, an_order};

/// The JSON of an order with this text as quantity of its only item.
fn quantity(text: &str) -> String {
    format!(r#"{{"customerName":"Ada","items":[{{"productId":7,"quantity":{text}}}]}}"#)
}

#[tokio::test]
async fn a_body_that_is_not_one_json_text_is_refused_and_nothing_is_stored() {
    let client = Client::new().await;
    let order = an_order().to_string();
    let bodies: Vec<Vec<u8>> = [
        " \r\n\t ".to_owned(),
        format!("\u{feff}{order}"),
        format!("{order}{order}"),
        format!("{order},"),
        format!("{order}\0"),
        format!("{order} // an order"),
        order.replace('"', "'"),
        order.replace("}]", "},]"),
        order.replace("Ada", "A\nda"),
        order.replace("Ada", "\\x41da"),
        order.replace("Ada", "\\ud80"),
        quantity("NaN"),
        quantity("Infinity"),
        quantity("+2"),
        quantity("02"),
        quantity(".2"),
        quantity("2."),
        quantity("0x2"),
        quantity("2_0"),
        quantity("--2"),
        quantity("True"),
        "[".repeat(10_000),
        r#"{"customerName":"#.repeat(4000),
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([b"\xff".to_vec(), order.replace("Ada", "A\u{1}").into_bytes()])
    .chain([&b"\xc0\xaf"[..], b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"].map(|bytes| {
        // Overlong, a surrogate, above U+10FFFF, incomplete.
        [b"{\"customerName\":\"", bytes, b"\",\"items\":[]}"].concat()
    }))
    .collect();
    for body in bodies {
        let answer = client.post("/api/orders", body.clone()).await;
        let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(answer.status, 400, "{start}: {}", answer.body);
        answer.problem(400, "malformed-body");
    }
    client.assert_nothing_stored("bodies that are not JSON").await;
}

#[tokio::test]
async fn json_that_is_not_an_order_is_refused_with_a_pointer_and_nothing_is_stored() {
    let client = Client::new().await;
    let order = an_order().to_string();
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let (name, at) = ("#/customerName", "#/items/0/quantity");
    for (body, pointer) in [
        ("null".to_owned(), "#"),
        ("-0".to_owned(), "#"),
        (deep(10_000), "#"),
        (quantity(&deep(10_000)), at),
        (order.replacen('{', &format!(r#"{{"x":{},"#, deep(10_000)), 1), "#/x"),
        (order.replacen('{', r#"{"customerName":"Eve","#, 1), name),
        (order.replacen('{', r#"{"customerNam\u0065":"Eve","#, 1), name),
        (order.replacen('{', r#"{"items":[],"#, 1), "#/items"),
        (order.replacen('{', r#"{"__proto__":{},"#, 1), "#/__proto__"),
        (order.replacen('{', r#"{"":1,"#, 1), "#/"),
        (order.replacen('{', r#"{"CustomerName":"Eve","#, 1), "#/CustomerName"),
        (quantity(r#"1,"quantity":2"#), at),
        (quantity("1e400"), at),
        (quantity("-1e400"), at),
        (quantity("-0"), at),
        (quantity("0.0"), at),
        (quantity("2e-1"), at),
        (quantity("2.0000000001"), at),
        (quantity("1E3"), at),
        (quantity("18446744073709551618"), at),
        (quantity("4294967298"), at),
        (quantity(&"9".repeat(10_000)), at),
        (quantity("\"2\""), at),
        (quantity("[2]"), at),
        (order.replace("Ada", "\\ud800"), name),
        (order.replace("Ada", "\\ud800\\u0041"), name),
        (order.replace("Ada", "\\udc00\\ud800"), name),
        (order.replace("Ada", "\\u0000"), name),
        (order.replace("Ada", "\\u202e"), name),
    ] {
        let answer = client.post("/api/orders", body.clone()).await;
        let start: String = body.chars().take(80).collect();
        assert_eq!(answer.status, 422, "{start}: {}", answer.body);
        let pointers = answer.places(422, "invalid-body", "pointer");
        assert_eq!(pointers, [pointer], "{start}: {}", answer.body);
        assert!(answer.body.len() < 1000, "{start}");
    }
    client.assert_nothing_stored("JSON that is not an order").await;
}

#[tokio::test]
async fn an_order_may_have_any_json_spelling_and_at_most_64_kib() {
    let client = Client::new().await;
    let order = an_order().to_string();
    let padded = |size: usize| format!("{order}{}", " ".repeat(size - order.len()));
    for body in [
        quantity("2.0"),
        quantity("2e0"),
        quantity("0.2E+1"),
        quantity(&format!("2.{}", "0".repeat(10_000))),
        // A number with a point is read as a double (RFC 8259, section 6).
        quantity(&format!("1.{}", "9".repeat(10_000))),
        order.replace("Ada", "\\ud83d\\udc69"),
        order.replace("items", "\\u0069tems"),
        format!("\r\n\t {order}"),
        padded(64 * 1024),
    ] {
        let answer = client.post("/api/orders", body.clone()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    let answer = client.post("/api/orders", padded(64 * 1024 + 1)).await;
    answer.problem(413, "body-too-large");
}
