use std::fmt;
use std::future::Future;

use domain::Timestamp;

use super::{Answer, SendError};

/// A request to a webhook, as [Standard Webhooks](https://www.standardwebhooks.com) describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookCall {
    /// The header `webhook-id`: the same on every retry.
    pub id: String,
    /// The time of this attempt, for the header `webhook-timestamp`.
    pub at: Timestamp,
    /// The address of the webhook.
    pub url: String,
    /// The secrets that sign the call, newest first. There are more for a while after a rotation.
    pub secrets: Vec<SealedSecret>,
    /// The body, JSON.
    pub body: String,
}

/// The encrypted secret of a webhook. Only the adapter that signs can open it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub Vec<u8>);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(..)")
    }
}

/// Port that calls webhooks.
pub trait WebhookSender: Send + Sync {
    /// Signs the call and sends it. The wait MUST be bounded, and the call MUST NOT reach an address that
    /// is not public, unless the operator allows it.
    fn send(&self, call: &WebhookCall) -> impl Future<Output = Result<Answer, SendError>> + Send;
}

/// Port that makes secrets of webhooks.
pub trait WebhookSecrets: Send + Sync {
    /// A new secret: its text for the receiver, `whsec_` and base64, and its sealed form.
    ///
    /// # Errors
    /// When no key is configured.
    fn generate(&self) -> Result<(String, SealedSecret), NoSecretsKey>;
}

/// No key to seal secrets with is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("set WEBHOOK_SECRETS_KEY_FILE to use webhooks")]
pub struct NoSecretsKey;
