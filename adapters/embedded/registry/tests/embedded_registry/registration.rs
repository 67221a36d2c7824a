//! Registration of schemas, and their ids.

use schema_registry_converter::async_impl::schema_registry::post_schema;
use serde_json::{Value, json};

use super::fixture::{Registry, SUBJECT, V1, avro, open};

#[tokio::test]
async fn a_schema_has_the_same_id_in_all_subjects_and_formats() {
    let registry = Registry::start().await;
    let id = registry.register("one", V1).await;
    let compact = serde_json::from_str::<Value>(V1).unwrap().to_string();
    assert_eq!(registry.register("one", &compact).await, id);
    assert_eq!(registry.register("other", &compact).await, id);
    assert_eq!(registry.get("/subjects/one/versions").await, json!([1]));
    assert_eq!(
        registry.get(&format!("/schemas/ids/{id}/versions")).await,
        json!([{ "subject": "one", "version": 1 }, { "subject": "other", "version": 1 }])
    );
    assert_eq!(registry.get(&format!("/schemas/ids/{id}/subjects")).await, json!(["one", "other"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_registrations_create_one_id_and_one_version() {
    let registry = Registry::start().await;
    let settings = registry.serve().await;
    let registrations = (0..32).map(|n| {
        let settings = settings.clone();
        let subject = format!("subject-{}", n % 4);
        tokio::spawn(async move { post_schema(&settings, subject, avro(V1)).await.unwrap().id })
    });
    let mut ids = Vec::new();
    for registration in registrations.collect::<Vec<_>>() {
        ids.push(registration.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(registry.get("/schemas").await.as_array().unwrap().len(), 4);
    assert_eq!(registry.get("/subjects/subject-3/versions").await, json!([1]));
}

#[tokio::test]
async fn schemas_survive_a_restart() {
    let registry = Registry::start().await;
    let id = registry.register(SUBJECT, V1).await;
    let again = Registry { router: open(&registry.args).await, args: registry.args };
    assert_eq!(again.get(&format!("/schemas/ids/{id}")).await, json!({ "schema": V1 }));
    assert_eq!(again.register(SUBJECT, V1).await, id);
}
