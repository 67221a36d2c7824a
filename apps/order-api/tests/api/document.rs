use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn the_openapi_document_is_unchanged() {
    let client = Client::new().await;
    let mut document = client.get("/openapi.json").await.json();
    document["info"]["version"] = json!("as released");
    insta::assert_json_snapshot!("openapi", document);
}
