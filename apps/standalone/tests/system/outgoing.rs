//! Letters to the embedded mail server, and calls of webhooks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::eventually;

use crate::client::{Client, Confirmed};
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};

const EMAIL: &str = "ada@example.org";

/// Places an order of a customer with a contact.
async fn place(client: &Client) -> Confirmed {
    client.put_contact("customer-1", EMAIL).await;
    let request = client.request(Method::POST, Service::OrderApi, "/api/orders");
    let items = json!([{"productId": 1, "quantity": 2}]);
    let body = json!({"customerName": "Ada", "customerId": "customer-1", "items": items});
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let body: Value = answer.json().await.unwrap();
    Confirmed::new(body["orderId"].as_str().unwrap())
}

async fn wait_for_letter(client: &Client, order: &Confirmed) {
    eventually("the letter arrives", async || {
        let letters = client.letters(EMAIL).await;
        letters.iter().any(|letter| letter["text"].as_str().unwrap().contains(&order.id))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_shown_and_a_restart_does_not_send_it_again() {
    let sandbox = Sandbox::new("letters");
    let instance = Instance::start(&mut sandbox.command());
    let client = Client::new(&sandbox);
    let first = place(&client).await;
    wait_for_letter(&client, &first).await;
    assert_eq!(client.letters(EMAIL).await[0]["from"], "orders@example.org");
    instance.stop();

    // The embedded mail server has lost its letters, and the outbox is published again.
    let instance = Instance::start(&mut sandbox.command());
    let second = place(&client).await;
    wait_for_letter(&client, &second).await;
    eventually("both events were read", async || {
        client.counter("consumer_records_total", "notification-group").await >= 2
    })
    .await;
    let path = "/api/notifications?channel=email&destination=customer-1";
    let once = |item: &Value| item["state"] == "sent" && item["attempts"] == 1;
    // A letter arrives before its result is stored.
    eventually("both letters count as sent once", async || {
        let sent = client.get(Service::Notification, path).await.unwrap();
        let sent = sent["items"].as_array().unwrap();
        sent.len() == 2 && sent.iter().all(once)
    })
    .await;
    assert_eq!(client.letters(EMAIL).await.len(), 1);
    instance.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_on_this_host_can_be_created_and_the_key_is_private_and_is_kept() {
    let sandbox = Sandbox::new("webhook");
    let instance = Instance::start(&mut sandbox.command());
    let client = Client::new(&sandbox);
    let request = client.request(Method::POST, Service::Notification, "/api/webhooks");
    let body = json!({"url": "http://127.0.0.1:9/hook"});
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
    instance.stop();

    let file = sandbox.home.join("webhook-key");
    let key = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    Instance::start(&mut sandbox.command()).stop();
    assert_eq!(fs::read_to_string(&file).unwrap(), key);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ca_certificates_everything_starts_and_a_warning_is_logged() {
    let sandbox = Sandbox::new("authorities");
    let mut command = sandbox.command();
    let instance = Instance::start(without_ca_certificates(&mut command));
    let client = Client::new(&sandbox);
    let order = place(&client).await;
    wait_for_letter(&client, &order).await;
    client.wait_until_arrived(&[order]).await;
    let log = instance.stop();
    let warnings = log.iter().filter(|line| line.contains("no CA certificates are installed"));
    assert_eq!(warnings.count(), 1, "{log:#?}");
}

fn without_ca_certificates(command: &mut Command) -> &mut Command {
    command.env("SSL_CERT_FILE", "/dev/null").env_remove("SSL_CERT_DIR")
}
