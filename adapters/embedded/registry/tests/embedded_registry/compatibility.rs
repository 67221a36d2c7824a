//! Compatibility of schemas, and its levels.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fixture::{Registry, SUBJECT, V1, V2, WITHOUT_DEFAULT, WITHOUT_ID, open};

#[tokio::test]
async fn an_incompatible_schema_is_refused_with_the_reason() {
    let registry = Registry::start().await;
    registry.register(SUBJECT, V1).await;
    let path = format!("/subjects/{SUBJECT}/versions");
    let (status, body) =
        registry.request("POST", &path, json!({ "schema": WITHOUT_DEFAULT })).await;
    assert_eq!((status, &body["error_code"]), (StatusCode::CONFLICT, &json!(409)));
    assert!(body["message"].as_str().unwrap().contains("field price: was added"), "{body}");
    assert_eq!(registry.get(&path).await, json!([1]));
}

#[tokio::test]
async fn each_level_allows_the_changes_that_it_should() {
    // Whether a field without a default may be added, and whether it may be removed.
    for (level, adding, removing) in [
        ("NONE", true, true),
        ("BACKWARD", false, true),
        ("BACKWARD_TRANSITIVE", false, true),
        ("FORWARD", true, false),
        ("FORWARD_TRANSITIVE", true, false),
        ("FULL", false, false),
        ("FULL_TRANSITIVE", false, false),
    ] {
        let registry = Registry::start().await;
        for (subject, first, then, compatible) in
            [("adding", V1, WITHOUT_DEFAULT, adding), ("removing", WITHOUT_DEFAULT, V1, removing)]
        {
            let config = format!("/config/{subject}");
            let (_, set) =
                registry.request("PUT", &config, json!({ "compatibility": level })).await;
            assert_eq!(set, json!({ "compatibility": level }));
            registry.register(subject, first).await;

            let check = format!("/compatibility/subjects/{subject}/versions/latest?verbose=true");
            let (_, verdict) = registry.request("POST", &check, json!({ "schema": then })).await;
            assert_eq!(verdict["is_compatible"], json!(compatible), "{level} {subject}");
            assert_eq!(verdict["messages"].as_array().unwrap().is_empty(), compatible);

            let versions = format!("/subjects/{subject}/versions");
            let (status, _) = registry.request("POST", &versions, json!({ "schema": then })).await;
            assert_eq!(status == StatusCode::OK, compatible, "{level} {subject}");
        }
    }
}

#[tokio::test]
async fn only_transitive_levels_check_all_versions() {
    const CHANGED: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
        {"name":"orderId","type":"int","default":0},{"name":"note","type":"string","default":""}]}"#;
    for (level, compatible) in [("BACKWARD", true), ("BACKWARD_TRANSITIVE", false)] {
        let registry = Registry::start().await;
        registry.request("PUT", "/config", json!({ "compatibility": level })).await;
        registry.register(SUBJECT, V1).await;
        registry.register(SUBJECT, WITHOUT_ID).await;
        let check = format!("/compatibility/subjects/{SUBJECT}/versions");
        let (_, verdict) = registry.request("POST", &check, json!({ "schema": CHANGED })).await;
        assert_eq!(verdict, json!({ "is_compatible": compatible }), "{level}");
    }
}

#[tokio::test]
async fn a_reader_of_only_some_branches_of_a_union_is_incompatible() {
    let registry = Registry::start().await;
    registry.register(SUBJECT, r#"["int","string"]"#).await;
    let check = format!("/compatibility/subjects/{SUBJECT}/versions/1");
    let (_, verdict) = registry.request("POST", &check, json!({ "schema": r#""int""# })).await;
    assert_eq!(verdict, json!({ "is_compatible": false }));
}

#[tokio::test]
async fn the_default_level_is_full_transitive_and_can_be_changed() {
    let registry = Registry::start().await;
    registry.register("subject", V1).await;
    registry.register("subject", V2).await;
    let versions = "/subjects/subject/versions";
    // It could read data of the first version, but the first version could not read its data.
    let removing = json!({ "schema": WITHOUT_ID });
    assert_eq!(registry.error("POST", versions, removing.clone()).await, (409, 409));

    let weaker = json!({ "compatibility": "BACKWARD" });
    let (_, set) = registry.request("PUT", "/config", weaker.clone()).await;
    assert_eq!(set, weaker);
    assert_eq!(registry.get("/config").await, json!({ "compatibilityLevel": "BACKWARD" }));
    let again = Registry { router: open(&registry.args).await, args: registry.args };
    assert_eq!(again.request("POST", versions, removing).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_level_can_be_set_and_removed() {
    let registry = Registry::start().await;
    let full = json!({ "compatibilityLevel": "FULL" });
    assert_eq!(registry.error("GET", "/config/s", Value::Null).await, (404, 40408));
    registry.request("PUT", "/config/s", json!({ "compatibility": "full" })).await;
    assert_eq!(registry.get("/config/s").await, full);
    let (_, was) = registry.request("DELETE", "/config/s", Value::Null).await;
    assert_eq!(was, full);
    assert_eq!(registry.error("DELETE", "/config/s", Value::Null).await, (404, 40401));
    registry.request("PUT", "/config", json!({ "compatibility": "NONE" })).await;
    let (_, was) = registry.request("DELETE", "/config", Value::Null).await;
    assert_eq!(was, json!({ "compatibilityLevel": "NONE" }));
    let default = json!({ "compatibilityLevel": "FULL_TRANSITIVE" });
    assert_eq!(registry.get("/config").await, default);
    let wrong = json!({ "compatibility": "SOMETIMES" });
    assert_eq!(registry.error("PUT", "/config", wrong).await, (422, 42203));
}
