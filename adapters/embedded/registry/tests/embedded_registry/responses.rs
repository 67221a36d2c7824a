//! Responses of the routes, with and without errors.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fixture::{Registry, V1, V2};

/// A schema of nested arrays.
fn nested(levels: usize) -> String {
    (0..levels)
        .fold(r#""int""#.to_owned(), |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#))
}

#[tokio::test]
async fn the_routes_that_kafka_uis_use_return_the_expected_responses() {
    let registry = Registry::start().await;
    let id = registry.register("orders%2Fcreated", V1).await;
    let version = json!({ "subject": "orders/created", "version": 1, "id": id, "schema": V1 });
    assert_eq!(registry.get("/").await, json!({}));
    assert_eq!(registry.get("/subjects").await, json!(["orders/created"]));
    assert_eq!(registry.get("/subjects?subjectPrefix=payments").await, json!([]));
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/latest").await, version);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/-1").await, version);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1").await, version);
    let schema: Value = serde_json::from_str(V1).unwrap();
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1/schema").await, schema);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1/referencedby").await, json!([]));
    assert_eq!(registry.get("/schemas?latestOnly=true&limit=1").await, json!([version]));
    assert_eq!(registry.get("/schemas?offset=1").await, json!([]));
    assert_eq!(registry.get("/schemas/types").await, json!(["AVRO"]));
    assert_eq!(registry.get("/contexts").await, json!(["."]));
    assert_eq!(registry.get("/mode").await, json!({ "mode": "READWRITE" }));
    let full = json!({ "compatibilityLevel": "FULL_TRANSITIVE" });
    assert_eq!(registry.get("/config").await, full);
    assert_eq!(registry.get("/config/orders%2Fcreated?defaultToGlobal=true").await, full);
    let (status, found) =
        registry.request("POST", "/subjects/orders%2Fcreated", json!({ "schema": V1 })).await;
    assert_eq!((status, found), (StatusCode::OK, version));
}

#[tokio::test]
async fn invalid_requests_get_the_error_codes_of_confluent() {
    let registry = Registry::start().await;
    registry.register("s", V1).await;
    let schema = |text: &str| json!({ "schema": text });
    let nothing = Value::Null;
    for (method, path, body, expected) in [
        ("GET", "/subjects/none/versions", nothing.clone(), (404, 40401)),
        ("GET", "/subjects/none/versions/latest", nothing.clone(), (404, 40401)),
        ("GET", "/subjects/s/versions/2", nothing.clone(), (404, 40402)),
        ("GET", "/subjects/s/versions/0", nothing.clone(), (422, 42202)),
        ("GET", "/subjects/s/versions/first", nothing.clone(), (422, 42202)),
        ("GET", "/schemas/ids/99", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/2147483648", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/4294967295/subjects", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/one", nothing.clone(), (400, 400)),
        ("GET", "/schemas?limit=few", nothing.clone(), (400, 400)),
        ("POST", "/subjects/none", schema(V1), (404, 40401)),
        ("POST", "/subjects/s", schema(V2), (404, 40403)),
        ("POST", "/subjects/s/versions", nothing.clone(), (400, 400)),
        ("POST", "/subjects/s/versions", json!([]), (400, 400)),
        ("POST", "/subjects/s/versions", json!({}), (422, 42201)),
        ("POST", "/subjects/s/versions", schema("{"), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(r#"{"type":"record"}"#), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(&nested(40)), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(&nested(10_000)), (422, 42201)),
        ("POST", "/compatibility/subjects/s/versions", schema(&nested(40)), (422, 42201)),
        (
            "POST",
            "/subjects/s/versions",
            json!({ "schema": "{}", "schemaType": "JSON" }),
            (422, 42201),
        ),
        ("POST", "/subjects/s/versions", json!({ "schema": V2, "references": [{}] }), (422, 42201)),
        ("POST", "/subjects/s/versions", json!({ "schema": V2, "id": 7 }), (422, 42205)),
        ("POST", "/compatibility/subjects/none/versions/1", schema(V1), (404, 40401)),
        ("POST", "/compatibility/subjects/s/versions/9", schema(V1), (404, 40402)),
        ("DELETE", "/subjects/none", nothing.clone(), (404, 40401)),
        ("GET", "/nothing/here", nothing.clone(), (404, 404)),
        ("PATCH", "/subjects", nothing.clone(), (405, 405)),
    ] {
        let request = format!("{method} {path} {body}");
        assert_eq!(registry.error(method, path, body).await, expected, "{request}");
    }
    assert_eq!(registry.get("/subjects/s/versions").await, json!([1]));
}
