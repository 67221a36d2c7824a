use application::notification::{
    Answer, SendError, WebhookCall, WebhookChannel, WebhookSender, Webhooks,
};
use axum::http::{Method, StatusCode};
use notification::run_worker;
use runtime::clock;
use serde_json::{Value, json};
use std::sync::Mutex;
use test_support::eventually;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, LIMITS, cancelled, created};

fn body() -> Value {
    json!({
        "url": "https://example.org/hook",
        "description": " The shop ",
        "eventTypes": ["order.cancelled", "order.created", "order.created"],
    })
}

async fn create(fixture: &Fixture) -> (String, Value) {
    let (status, headers, created) =
        fixture.request(Method::POST, "/api/webhooks", &[], Some(body())).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let path = headers["location"].to_str().unwrap().to_owned();
    assert_eq!(path, format!("/api/webhooks/{}", created["webhook"]["id"].as_str().unwrap()));
    (path, created)
}

#[tokio::test]
async fn a_webhook_is_created_with_a_secret_that_is_shown_once() {
    let fixture = Fixture::new().await;
    let (path, mut created) = create(&fixture).await;
    let secret = created["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 30, "{secret}");
    let (status, headers, shown) = fixture.request(Method::GET, &path, &[], None).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::OK, &"\"1\"".parse().unwrap()));
    assert_eq!(shown, created["webhook"].take());
    assert!(!shown.to_string().contains("secret"));
    assert_eq!(shown["description"], "The shop");
    assert_eq!(shown["eventTypes"], json!(["order.created", "order.cancelled"]));
    assert_eq!(shown["state"], "enabled");
    let (_, list) = fixture.get("/api/webhooks").await;
    assert_eq!(list, json!({"items": [shown]}));
}

#[tokio::test]
async fn a_webhook_is_changed_and_deleted() {
    let fixture = Fixture::new().await;
    let (path, _) = create(&fixture).await;
    let change = json!({"url": "https://example.org/other"});
    let stale = [("if-match", "\"7\"")];
    let (status, ..) = fixture.request(Method::PUT, &path, &stale, Some(change.clone())).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (status, headers, changed) =
        fixture.request(Method::PUT, &path, &[("if-match", "\"1\"")], Some(change)).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::OK, &"\"2\"".parse().unwrap()));
    assert_eq!(changed["url"], "https://example.org/other");
    assert_eq!(changed["eventTypes"].as_array().unwrap().len(), 9, "by default, all");
    let (status, ..) = fixture.request(Method::DELETE, &path, &[], None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/deliveries")),
        (Method::POST, format!("{path}/ping")),
        (Method::POST, format!("{path}/enable")),
        (Method::POST, format!("{path}/rotate-secret")),
    ] {
        let (status, ..) = fixture.request(method, &path, &[], None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_webhook_is_refused_with_each_error() {
    let fixture = Fixture::new().await;
    for (wrong, pointer) in [
        (json!({"url": "http://example.org/"}), "#/url"),
        (json!({"url": "https://10.0.0.1/"}), "#/url"),
        (json!({"url": "https://169.254.169.254/latest"}), "#/url"),
        (json!({"url": "https://user@example.org/"}), "#/url"),
        (json!({"url": "https://example.org/", "eventTypes": []}), "#/eventTypes"),
        (json!({"url": "https://example.org/", "eventTypes": ["order.x"]}), "#/eventTypes/0"),
        (json!({"url": "https://example.org/", "description": "\u{7}"}), "#/description"),
        (json!({"url": "https://example.org/", "secret": "s"}), "#/secret"),
    ] {
        let (status, _, problem) =
            fixture.request(Method::POST, "/api/webhooks", &[], Some(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[tokio::test]
async fn without_a_key_webhooks_cannot_be_created() {
    let fixture = Fixture::without_webhook_key().await;
    let (status, _, problem) =
        fixture.request(Method::POST, "/api/webhooks", &[], Some(body())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["detail"].as_str().unwrap().contains("WEBHOOK_SECRETS_KEY_FILE"), "{problem}");
}

#[tokio::test]
async fn a_rotated_secret_is_new_and_the_old_one_still_signs_for_a_day() {
    let fixture = Fixture::new().await;
    let (path, created) = create(&fixture).await;
    let id = created["webhook"]["id"].as_str().unwrap().parse().unwrap();
    let first = Webhooks::find(&fixture.notifications, id).await.unwrap().unwrap();
    let (status, rotated) = fixture.post(&format!("{path}/rotate-secret"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(rotated["secret"], created["secret"]);
    let until = rotated["webhook"]["previousSecretUntil"].as_str().unwrap();
    let until: domain::Timestamp = until.parse().unwrap();
    let hours = (until.get() - clock::now().get()).num_hours();
    assert!((23..=24).contains(&hours), "{hours}");
    let stored = Webhooks::find(&fixture.notifications, id).await.unwrap().unwrap();
    assert_eq!(stored.secrets(clock::now()).len(), 2);

    // As if the answer was lost: the receiver still has the first secret.
    fixture.post(&format!("{path}/rotate-secret"), json!({})).await;
    let stored = Webhooks::find(&fixture.notifications, id).await.unwrap().unwrap();
    let signing = stored.secrets(clock::now());
    assert_eq!(signing.len(), 3);
    assert_eq!(signing[2], first.secret);
}

#[tokio::test]
async fn a_ping_shows_the_answer() {
    let fixture = Fixture::new().await;
    // Nobody listens on this port of the host.
    let id = fixture.add_webhook(7).await;
    let (status, ping) = fixture.post(&format!("/api/webhooks/{id}/ping"), json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(ping["accepted"], false, "{ping}");
    assert!(ping["answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{ping}");
}

/// A receiver that is gone, and remembers its calls.
#[derive(Default)]
struct Gone(Mutex<Vec<WebhookCall>>);

impl WebhookSender for &Gone {
    async fn send(&self, call: &WebhookCall) -> Result<Answer, SendError> {
        self.0.lock().unwrap().push(call.clone());
        Err(SendError::Gone("HTTP 410".to_owned()))
    }
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_disabled_until_it_is_enabled() {
    let fixture = Fixture::new().await;
    let id = fixture.add_webhook(7).await;
    let (order, path) = (clock::new_order_id(), format!("/api/webhooks/{id}"));
    fixture.receive(&[created(order), cancelled(order)]).await;
    let (gone, stop) = (Gone::default(), CancellationToken::new());
    let channel = WebhookChannel(&gone);
    let wakeup = fixture.outgoing.wakeup.subscribe();
    let work = run_worker(&fixture.notifications, &channel, LIMITS, wakeup, &stop);
    let watch = async {
        eventually("both calls are settled", async || {
            let (_, list) = fixture.get(&format!("{path}/deliveries?state=pending")).await;
            list["items"] == json!([])
        })
        .await;
        stop.cancel();
    };
    tokio::join!(work, watch);

    assert_eq!(gone.0.lock().unwrap().len(), 1);
    let (_, shown) = fixture.get(&path).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("disabled"), &json!("HTTP 410"))
    );
    let (_, list) = fixture.get(&format!("{path}/deliveries")).await;
    let states: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["failed", "suppressed"]);

    let (status, enabled) = fixture.post(&format!("{path}/enable"), json!({})).await;
    assert_eq!((status, &enabled["state"]), (StatusCode::OK, &json!("enabled")));
    let (_, report) = fixture
        .post(
            "/api/notifications/retry",
            json!({"channel": "webhook", "destination": id.to_string()}),
        )
        .await;
    assert_eq!(report, json!({"retried": 2, "more": false}));
}
