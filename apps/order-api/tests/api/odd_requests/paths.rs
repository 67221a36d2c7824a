use super::{UNKNOWN, send};
use crate::client::Client;

#[tokio::test]
async fn each_method_that_a_route_does_not_have_is_answered_with_those_it_has() {
    let client = Client::new().await;
    let order = format!("/api/orders/{UNKNOWN}");
    let cancel = format!("{order}/cancel");
    for (path, allow, methods) in [
        ("/api/orders", "POST,GET,HEAD", &["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"][..]),
        (&order, "GET,HEAD", &["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
        (&cancel, "POST", &["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "CANCEL"]),
        ("/openapi.json", "GET,HEAD", &["POST", "OPTIONS"]),
        ("/livez", "GET,HEAD", &["POST", "get"]),
        ("/metrics", "GET,HEAD", &["POST", "DELETE"]),
        ("/problems/not-found", "GET,HEAD", &["POST"]),
    ] {
        for method in methods {
            let answer = send(&client, method, path, &[], "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
            if *method != "HEAD" {
                answer.problem(405, "method-not-allowed");
            }
        }
    }
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_request() {
    let client = Client::new().await;
    let order = client.placed().await;
    let placed = format!("/api/orders/{}", order["orderId"].as_str().unwrap());
    let unknown = format!("/api/orders/{UNKNOWN}");
    for path in [&placed, &unknown, "/api/orders", "/api/orders?limit=0", "/livez", "/nowhere"] {
        let get = client.get(path).await;
        let head = send(&client, "HEAD", path, &[], "").await;
        assert_eq!(head.status, get.status, "{path}");
        for name in ["content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn another_spelling_of_a_path_is_another_resource() {
    let client = Client::new().await;
    for path in [
        "//api/orders",
        "/api//orders",
        "/api/orders//",
        "/API/orders",
        "/api/orders.json",
        "/api/./orders",
        "/api/../api/orders",
        "/%2e%2e/api/orders",
        "/api%2forders",
        "/api/orders%00",
        "/api/orders%c0%af",
        "/api/orders%ff",
        "/api/orders%zz",
        "/api/orders;v=1",
        "/swagger-ui/../../etc/passwd",
        "/swagger-ui/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/problems/..%2f..%2fopenapi.json",
    ] {
        client.get(path).await.problem(404, "not-found");
        client.post(path, r#"{"customerName":"Ada"}"#).await;
    }
    client.assert_nothing_stored("other spellings of paths").await;
}

#[tokio::test]
async fn an_id_is_a_uuid_with_hyphens_in_either_case() {
    let client = Client::new().await;
    let order = client.placed().await;
    let id = order["orderId"].as_str().unwrap();
    let encoded: Vec<String> = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for same in [id.to_uppercase(), encoded.concat()] {
        let answer = client.get(&format!("/api/orders/{same}")).await;
        assert_eq!(answer.json(), order, "{same}");
    }
    for wrong in [
        id.replace('-', ""),
        format!("%7b{id}%7d"),
        format!("urn:uuid:{id}"),
        id[1..].to_owned(),
        format!("{id}0"),
        format!("{id}%00"),
        format!("{id}%0a"),
        format!("{id}%20"),
        format!("{id}%2fcancel"),
        format!("{id}%ff"),
        format!("{id}%c0%80"),
        format!("{id}%zz"),
        format!("{id};version=1"),
        "..".to_owned(),
        "%2e%2e".to_owned(),
        "01890a5d-ac96-774b-bcce-b302099a805g".to_owned(),
        "%D9%A0%D9%A1".to_owned(),
    ] {
        let answer = client.get(&format!("/api/orders/{wrong}")).await;
        let named = answer.places(400, "invalid-parameter", "parameter");
        assert_eq!(named, ["id"], "{wrong}");
        let answer = client.post(&format!("/api/orders/{wrong}/cancel"), "{}").await;
        let named = answer.places(400, "invalid-parameter", "parameter");
        assert_eq!(named, ["id"], "{wrong}");
    }
    assert_eq!(client.events().await.len(), 1, "nothing is cancelled");
}

#[tokio::test]
async fn each_wrong_parameter_of_a_query_is_named() {
    let client = Client::new().await;
    for (query, names) in [
        ("limit=1e3", &["limit"][..]),
        ("limit=99999999999999999999", &["limit"]),
        ("limit=%205", &["limit"]),
        ("limit=+5", &["limit"]),
        ("limit=%2B5", &["limit"]),
        ("limit=05", &["limit"]),
        ("limit=5.0", &["limit"]),
        ("limit=5%00", &["limit"]),
        ("limit=%D9%A5", &["limit"]),
        ("limit", &["limit"]),
        ("limit=5&limit=5", &["limit"]),
        ("limit=5&Limit=5", &["Limit"]),
        ("limit[]=5", &["limit[]"]),
        ("cursor=%00", &["cursor"]),
        ("cursor=%ff", &["cursor"]),
        ("cursor=01890a5d-ac96-774b-bcce-b302099a8057", &["cursor"]),
        ("cursor=01890a5dac96774bbcceb302099a8057%20", &["cursor"]),
        ("status=", &["status"]),
        ("status=created,cancelled", &["status"]),
        ("status=created&status=cancelled", &["status"]),
        ("status=%27%20OR%201=1--", &["status"]),
        ("=", &[""]),
        ("x", &["x"]),
        ("%ff=1", &["\u{fffd}"]),
        ("limit=0&cursor=x&status=x&x=1", &["cursor", "limit", "status", "x"]),
    ] {
        let answer = client.get(&format!("/api/orders?{query}")).await;
        assert_eq!(answer.places(400, "invalid-parameter", "parameter"), names, "{query}");
    }
    for query in ["", "&", "&&limit=5&", "limit=%35", "lim%69t=5"] {
        assert_eq!(client.get(&format!("/api/orders?{query}")).await.status, 200, "{query}");
    }
}
