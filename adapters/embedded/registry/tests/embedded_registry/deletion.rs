//! Deletion of subjects and versions.

use serde_json::{Value, json};

use super::fixture::{Registry, V1, V2};

#[tokio::test]
async fn a_subject_is_deleted_softly_first_and_its_ids_stay_readable() {
    let registry = Registry::start().await;
    let id = registry.register("s", V1).await;
    registry.register("s", V2).await;
    assert_eq!(
        registry.error("DELETE", "/subjects/s?permanent=true", Value::Null).await,
        (404, 40405)
    );
    let delete = async |path: &str| registry.request("DELETE", path, Value::Null).await.1;

    assert_eq!(delete("/subjects/s/versions/1").await, json!(1));
    assert_eq!(registry.get("/subjects/s/versions").await, json!([2]));
    assert_eq!(registry.get("/subjects/s/versions?deletedOnly=true").await, json!([1]));
    assert_eq!(registry.get("/subjects?deletedOnly=true").await, json!(["s"]));
    registry.register("other", V1).await;
    assert_eq!(registry.get("/subjects?deletedOnly=true").await, json!(["s"]));
    assert_eq!(registry.get("/subjects/other/versions?deletedOnly=true").await, json!([]));
    assert_eq!(delete("/subjects/other").await, json!([1]));
    assert_eq!(delete("/subjects/other?permanent=true").await, json!([1]));
    assert_eq!(registry.error("DELETE", "/subjects/s/versions/1", Value::Null).await, (404, 40406));
    assert_eq!(
        registry.error("DELETE", "/subjects/s/versions/2?permanent=true", Value::Null).await,
        (404, 40407)
    );
    assert_eq!(delete("/subjects/s/versions/latest").await, json!(2));
    assert_eq!(registry.get("/subjects").await, json!([]));
    assert_eq!(registry.get("/subjects?deleted=true").await, json!(["s"]));
    assert_eq!(registry.get("/subjects/s/versions?deleted=true").await, json!([1, 2]));
    assert_eq!(registry.error("DELETE", "/subjects/s", Value::Null).await, (404, 40404));

    assert_eq!(registry.register("s", V1).await, id, "the same schema has the same id");
    assert_eq!(registry.get("/subjects/s/versions").await, json!([3]));
    assert_eq!(delete("/subjects/s").await, json!([3]));
    assert_eq!(delete("/subjects/s?permanent=true").await, json!([1, 2, 3]));
    assert_eq!(registry.get("/subjects?deleted=true").await, json!([]));
    assert_eq!(registry.get(&format!("/schemas/ids/{id}")).await, json!({ "schema": V1 }));
}
