use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use application::notification::EventType;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Client;
use runtime::StartError;
use serde::Deserialize;
use serde_json::json;
use standardwebhooks::Webhook as Verifier;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::endpoints::Endpoints;

/// The events for which the webhook is called. About a fifth of the orders have two of them.
pub(super) const EVENTS: [EventType; 3] =
    [EventType::CancellationRequested, EventType::CancellationDeclined, EventType::Cancelled];

/// A webhook that is registered for the time of the demo, and the server that it calls.
pub(super) struct Webhook {
    pub(super) id: String,
    client: Client,
    url: String,
    receiver: Arc<Receiver>,
    server: JoinHandle<()>,
}

/// The calls that a webhook has received.
#[derive(Debug, Default, Clone)]
pub(super) struct Calls {
    /// The events of each order, in the sequence of the calls. They can be repeated.
    pub(super) events: HashMap<Uuid, Vec<Uuid>>,
    /// What is wrong with calls that are not as the standard describes.
    pub(super) errors: Vec<String>,
}

#[derive(Default)]
struct Receiver {
    verifier: OnceLock<Verifier>,
    calls: Mutex<Calls>,
}

#[derive(Deserialize)]
struct Created {
    webhook: Registered,
    secret: String,
}

#[derive(Deserialize)]
struct Registered {
    id: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    detail: String,
}

/// The body of a call.
#[derive(Deserialize)]
struct Call {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    order_id: Uuid,
}

impl Webhook {
    /// Registers the webhook. Returns the reason if the instance does not permit webhooks on this host.
    pub(super) async fn register(
        client: &Client,
        endpoints: &Endpoints,
    ) -> Result<Result<Self, String>, StartError> {
        let failed = |error| StartError::other("cannot receive calls of a webhook", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let receiver = Arc::new(Receiver::default());
        let router = Router::new().route("/orders", post(receive)).with_state(receiver.clone());
        let server = tokio::spawn(async {
            // It serves until the task is aborted.
            let _ = axum::serve(listener, router).await;
        });

        let failed = |error| StartError::other("cannot register a webhook", error);
        let webhooks = format!("{}/api/webhooks", endpoints.notification);
        let body = json!({
            "url": format!("http://{address}/orders"),
            "description": "The demo",
            "eventTypes": EVENTS.map(EventType::as_str),
        });
        let answer = client.post(&webhooks).json(&body).send().await.map_err(failed)?;
        if answer.status() != StatusCode::CREATED {
            server.abort();
            let status = answer.status();
            let problem = answer.json().await;
            let Problem { detail } = problem.unwrap_or(Problem { detail: String::new() });
            return Ok(Err(format!("the webhook was answered with {status}: {detail}")));
        }
        let Created { webhook, secret } = answer.json().await.map_err(failed)?;
        let verifier = Verifier::new(&secret)
            .map_err(|error| StartError::other("the secret of the webhook is wrong", error))?;
        let _ = receiver.verifier.set(verifier);
        let url = format!("{webhooks}/{}", webhook.id);
        Ok(Ok(Self { id: webhook.id, client: client.clone(), url, receiver, server }))
    }

    /// What it has received until now.
    pub(super) fn calls(&self) -> Calls {
        self.receiver.calls().clone()
    }

    /// Deletes the webhook, so that nothing is sent to it after the demo.
    pub(super) async fn delete(self) {
        if let Err(error) = self.client.delete(&self.url).send().await {
            eprintln!("cannot delete the webhook {}: {}", self.id, runtime::one_line(&error));
        }
        self.server.abort();
    }
}

impl Receiver {
    fn calls(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives a call.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    // A call can come before the answer with the secret. It is repeated later.
    let Some(verifier) = receiver.verifier.get() else { return StatusCode::SERVICE_UNAVAILABLE };
    match verified(verifier, &headers, &body) {
        Ok((order, event)) => {
            receiver.calls().events.entry(order).or_default().push(event);
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            receiver.calls().errors.push(error);
            StatusCode::BAD_REQUEST
        }
    }
}

/// The order and the event of a call whose signature is right.
fn verified(verifier: &Verifier, headers: &HeaderMap, body: &[u8]) -> Result<(Uuid, Uuid), String> {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    verifier.verify(body, headers).map_err(|error| format!("call {id}: {error}"))?;
    let call: Call = serde_json::from_slice(body).map_err(|error| format!("call {id}: {error}"))?;
    let event = id.parse().map_err(|_| format!("call {id}: the id is not the id of an event"))?;
    Ok((call.data.order_id, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_with_a_wrong_signature_is_refused() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let verifier = Verifier::new(secret).unwrap();
        let (order, event) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let body = json!({"type": "order.cancelled", "data": {"orderId": order}}).to_string();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let signed_at = i64::try_from(now).unwrap();
        let signature = verifier.sign(&event.to_string(), signed_at, body.as_bytes()).unwrap();
        let headers = [
            ("webhook-id", event.to_string()),
            ("webhook-timestamp", signed_at.to_string()),
            ("webhook-signature", signature),
        ];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.into_iter().collect();
        assert_eq!(verified(&verifier, &headers, body.as_bytes()), Ok((order, event)));
        let changed = body.replace("cancelled", "completed");
        assert!(verified(&verifier, &headers, changed.as_bytes()).is_err());
        assert!(verified(&verifier, &HeaderMap::new(), body.as_bytes()).is_err());
    }
}
