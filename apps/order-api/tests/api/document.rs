use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn the_api_is_documented_as_clients_know_it() {
    let client = Client::new().await;
    let mut document = client.get("/openapi.json").await.json();
    document["info"]["version"] = json!("as released");
    insta::assert_json_snapshot!("openapi", document);
}
