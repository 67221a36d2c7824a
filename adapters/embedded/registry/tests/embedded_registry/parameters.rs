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
async fn a_subject_that_cannot_be_stored_is_refused_on_every_route() {
    let registry = Registry::start().await;
    let schema = json!({ "schema": V1 });
    let level = json!({ "compatibility": "FULL" });
    let too_long = "s".repeat(2049);
    for subject in ["%00", "a%00b", "a%0Ab", "%C2%80", "__GLOBAL", "__EMPTY", &too_long] {
        for (method, path, body) in [
            ("POST", format!("/subjects/{subject}"), &schema),
            ("DELETE", format!("/subjects/{subject}"), &Value::Null),
            ("GET", format!("/subjects/{subject}/versions"), &Value::Null),
            ("POST", format!("/subjects/{subject}/versions"), &schema),
            ("GET", format!("/subjects/{subject}/versions/latest"), &Value::Null),
            ("DELETE", format!("/subjects/{subject}/versions/1"), &Value::Null),
            ("GET", format!("/subjects/{subject}/versions/1/schema"), &Value::Null),
            ("GET", format!("/subjects/{subject}/versions/1/referencedby"), &Value::Null),
            ("POST", format!("/compatibility/subjects/{subject}/versions"), &schema),
            ("POST", format!("/compatibility/subjects/{subject}/versions/latest"), &schema),
            ("GET", format!("/config/{subject}"), &Value::Null),
            ("PUT", format!("/config/{subject}"), &level),
            ("DELETE", format!("/config/{subject}"), &Value::Null),
        ] {
            let refused = registry.error(method, &path, body.clone()).await;
            assert_eq!(refused, (422, 42208), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_subject_has_any_other_character_and_up_to_2048_bytes() {
    let registry = Registry::start().await;
    // Digits of a random number generator, because Postgres compresses repetitions in an index.
    let mut random = 1_u32;
    let mut digits = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{random:08x}")
    };
    let long: String = (0..256).map(|_| digits()).collect();
    for subject in ["a%20b", "%C3%A9", ":.context:s", "a%2Fb%2F", &long] {
        registry.register(subject, V1).await;
        assert_eq!(registry.get(&format!("/subjects/{subject}/versions")).await, json!([1]));
        let config = format!("/config/{subject}");
        let level = json!({ "compatibility": "NONE" });
        assert_eq!(registry.request("PUT", &config, level).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn no_subject_starts_with_a_nul_character() {
    let registry = Registry::start().await;
    registry.register("s", V1).await;
    assert_eq!(registry.get("/subjects?subjectPrefix=%00").await, json!([]));
    assert_eq!(registry.get("/schemas?subjectPrefix=s%00").await, json!([]));
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

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_is_ignored() {
    let registry = Registry::start().await;
    registry.register("a%2F", V1).await;
    assert_eq!(registry.get("/subjects/").await, json!(["a/"]));
    assert_eq!(registry.get("/subjects/a%2F/versions/?deleted=true").await, json!([1]));
    // Confluent's Java client sends this.
    let check = "/compatibility/subjects/a%2F/versions/?normalize=false&verbose=true";
    let (_, verdict) = registry.request("POST", check, json!({ "schema": V2 })).await;
    assert_eq!(verdict, json!({ "is_compatible": true, "messages": [] }));
}
