//! Parameters of requests: in the path and in the query.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fixture::{Registry, V1, V2};

#[tokio::test]
async fn a_boolean_parameter_is_true_in_any_case_and_every_other_text_is_false() {
    let registry = Registry::start().await;
    registry.register("s", V1).await;
    registry.request("DELETE", "/subjects/s", Value::Null).await;
    for (text, expected) in [
        ("true", true),
        ("True", true),
        ("TRUE", true),
        ("false", false),
        ("False", false),
        ("yes", false),
        ("1", false),
        ("", false),
        ("%20true", false),
        ("false&deleted=true", false),
        ("true&deleted=false", true),
    ] {
        let subjects = registry.get(&format!("/subjects?deleted={text}")).await;
        assert_eq!(subjects == json!(["s"]), expected, "{text}");
    }
}

#[tokio::test]
async fn every_boolean_parameter_of_every_route_accepts_capital_letters() {
    let registry = Registry::start().await;
    let id = registry.register("s", V1).await;
    registry.register("s", V2).await;
    let (schema, none) = (json!({ "schema": V1 }), Value::Null);
    for (method, path, body) in [
        ("GET", "/subjects?deleted=False".to_owned(), none.clone()),
        ("POST", "/subjects/s?normalize=False&deleted=False".to_owned(), schema.clone()),
        ("GET", "/subjects/s/versions?deleted=False".to_owned(), none.clone()),
        ("POST", "/subjects/s/versions?normalize=False".to_owned(), schema.clone()),
        ("GET", "/subjects/s/versions/1?deleted=False".to_owned(), none.clone()),
        ("GET", "/subjects/s/versions/1/schema?deleted=False".to_owned(), none.clone()),
        ("GET", "/schemas?deleted=False&latestOnly=False".to_owned(), none.clone()),
        ("GET", format!("/schemas/ids/{id}?fetchMaxId=False"), none.clone()),
        ("GET", format!("/schemas/ids/{id}/subjects?deleted=False"), none.clone()),
        ("GET", format!("/schemas/ids/{id}/versions?deleted=False"), none.clone()),
        ("GET", "/config/s?defaultToGlobal=True".to_owned(), none.clone()),
        ("GET", "/mode/s?defaultToGlobal=True".to_owned(), none.clone()),
        (
            "POST",
            "/compatibility/subjects/s/versions?normalize=False&verbose=False".to_owned(),
            schema.clone(),
        ),
        (
            "POST",
            "/compatibility/subjects/s/versions/latest?normalize=False&verbose=True".to_owned(),
            schema.clone(),
        ),
        ("DELETE", "/subjects/s/versions/1?permanent=False".to_owned(), none.clone()),
        ("DELETE", "/subjects/s?permanent=False".to_owned(), none.clone()),
        ("DELETE", "/subjects/s?permanent=True".to_owned(), none.clone()),
    ] {
        let (status, response) = registry.request(method, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{method} {path}: {response}");
    }
}

#[tokio::test]
async fn a_list_is_returned_in_pages() {
    let registry = Registry::start().await;
    let id = registry.register("a", V1).await;
    registry.register("a", V2).await;
    registry.register("b", V1).await;
    assert_eq!(registry.get("/subjects?offset=0&limit=-1").await, json!(["a", "b"]));
    assert_eq!(registry.get("/subjects?limit=1").await, json!(["a"]));
    assert_eq!(registry.get("/subjects?offset=1&limit=1").await, json!(["b"]));
    assert_eq!(registry.get("/subjects/a/versions?offset=1").await, json!([2]));
    assert_eq!(registry.get("/schemas?offset=2&limit=-1").await.as_array().unwrap().len(), 1);
    let subjects = format!("/schemas/ids/{id}/subjects?offset=1&limit=-1");
    assert_eq!(registry.get(&subjects).await, json!(["b"]));
    let versions = format!("/schemas/ids/{id}/versions?limit=1");
    assert_eq!(registry.get(&versions).await, json!([{ "subject": "a", "version": 1 }]));
}
