//! Webhooks: calls with signatures of [Standard Webhooks](https://www.standardwebhooks.com), sealed
//! secrets, and rules that keep calls out of private networks.
//!
//! Whoever registers a webhook chooses where this service connects to. Three things prevent that it
//! connects to a private network: the rules for URLs ([`Policy::vet`]), a resolver that returns only
//! permitted addresses to the HTTP client, and no redirects or proxies.

mod address;
mod attempt;
mod client;
mod excerpt;
mod networks;
mod policy;
mod resolver;
mod retry_after;
mod secrets;
mod secrets_key;
mod sender;
mod signature;
mod vet_url;

#[cfg(test)]
mod tests;

pub use address::is_global;
pub use client::ClientError;
pub use networks::{NetworksError, parse_networks};
pub use policy::Policy;
pub use secrets::SealedSecrets;
pub use secrets_key::{OpenError, SecretsKey, SecretsKeyError};
pub use sender::HttpWebhookSender;
pub use vet_url::{UrlError, VettedUrl, vet_url};
