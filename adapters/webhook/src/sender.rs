use std::sync::Arc;

use application::notification::{Answer, SendError, WebhookCall, WebhookSender};
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use tokio::time::timeout;

use crate::attempt::Attempt;
use crate::client::{ClientError, LIMITS, Limits, Trust, WebhookClient, webhook_client};
use crate::policy::Policy;
use crate::resolver::{Lookup, SystemLookup};
use crate::retry_after::retry_after;
use crate::secrets::SealedSecrets;
use crate::signature::signature_headers;
use crate::vet_url::vet_url;

/// How much of the body of an answer is read, in bytes.
const MAX_BODY: usize = 1024;

/// Calls webhooks over HTTP. A call takes at most 15 seconds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpWebhookSender {
    client: WebhookClient,
    policy: Arc<Policy>,
    secrets: SealedSecrets,
    limits: Limits,
}

impl HttpWebhookSender {
    /// Calls webhooks that this policy permits, and signs with these secrets. If the system has no CA
    /// certificates, it logs a warning, and calls with `https` fail.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(policy: Policy, secrets: SealedSecrets) -> Result<Self, ClientError> {
        Self::with(policy, secrets, SystemLookup, LIMITS, Trust::System)
    }

    pub(crate) fn with(
        policy: Policy,
        secrets: SealedSecrets,
        lookup: impl Lookup,
        limits: Limits,
        trust: Trust,
    ) -> Result<Self, ClientError> {
        let policy = Arc::new(policy);
        let client = webhook_client(&policy, lookup, limits, trust)?;
        Ok(Self { client, policy, secrets, limits })
    }

    async fn attempt(&self, call: &WebhookCall) -> Attempt {
        // The URL was checked when it was registered. The policy may have changed since then.
        let url = match vet_url(&call.url, &self.policy) {
            Ok(url) => url,
            Err(error) => return Attempt::Refused(error),
        };
        if url.as_url().scheme() == "https" && !self.client.has_authorities {
            return Attempt::NoAuthorities;
        }
        let headers = match signature_headers(call, &self.secrets) {
            Ok(headers) => headers,
            Err(error) => return Attempt::Unsigned(error),
        };
        let request =
            self.client.client.post(url.as_url().clone()).headers(headers).body(call.body.clone());
        match timeout(self.limits.answer, request.send()).await {
            Ok(Ok(response)) => self.read(response, call).await,
            Ok(Err(error)) => Attempt::failed(&error),
            Err(_) => Attempt::TimedOut,
        }
    }

    async fn read(&self, mut response: Response, call: &WebhookCall) -> Attempt {
        let status = response.status();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| retry_after(text, call.at));
        let mut body = Vec::new();
        // The status counts even if the body is endless, slow or broken.
        let _ = timeout(self.limits.body, read_beginning(&mut response, &mut body)).await;
        Attempt::Answered { status, after, body: String::from_utf8_lossy(&body).into_owned() }
    }
}

/// Reads the body until its end, but not more than [`MAX_BODY`].
async fn read_beginning(response: &mut Response, body: &mut Vec<u8>) {
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_BODY {
            return;
        }
    }
}

impl WebhookSender for HttpWebhookSender {
    async fn send(&self, call: &WebhookCall) -> Result<Answer, SendError> {
        self.attempt(call).await.outcome()
    }
}
