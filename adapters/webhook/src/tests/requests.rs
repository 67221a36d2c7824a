//! What a webhook receives.

use application::notification::{WebhookSecrets, WebhookSender};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::Webhook;

use super::fixture::{DEVELOPMENT, PATIENT, call, secrets, sender};
use super::server::{Server, Then};

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn a_webhook_receives_signed_json() {
    let server = Server::answering(NO_CONTENT, Then::Serve).await;
    let (secret, sealed) = secrets().generate().unwrap();
    let mut call = call(&format!("{}?tenant=a%20b", server.url()));
    call.secrets = vec![sealed];
    sender(DEVELOPMENT, PATIENT).send(&call).await.unwrap();

    let [request] = &server.requests()[..] else { panic!("not one request") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    assert_eq!(first, "POST /orders?tenant=a%20b HTTP/1.1");
    assert_eq!(body, call.body);
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let at = call.at.get().timestamp();
    let signature = Webhook::from_bytes(bytes).unwrap().sign(&call.id, at, body.as_bytes());
    let mut headers: Vec<&str> = headers.split("\r\n").collect();
    headers.sort_unstable();
    let expected = [
        "accept: */*",
        &format!("content-length: {}", body.len()),
        "content-type: application/json",
        &format!("host: {}", server.address),
        &format!("user-agent: orders-notification/{}", env!("CARGO_PKG_VERSION")),
        "webhook-id: 0193-0001",
        &format!("webhook-signature: {}", signature.unwrap()),
        "webhook-timestamp: 1795780800",
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn calls_of_a_webhook_use_the_same_connection() {
    let server = Server::answering(NO_CONTENT, Then::Serve).await;
    let sender = sender(DEVELOPMENT, PATIENT);
    for _ in 0..3 {
        sender.clone().send(&call(&server.url())).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections().await, 1);
}

#[test]
fn the_proxy_of_the_environment_is_not_used() {
    // A test cannot change its own environment.
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::requests::a_webhook_receives_signed_json"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1")))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}
