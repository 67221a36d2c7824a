use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, redirect};

use crate::policy::Policy;
use crate::resolver::{Lookup, PermittedAddresses};

/// The name of this program in the header `User-Agent`.
const USER_AGENT: &str = concat!("orders-notification/", env!("CARGO_PKG_VERSION"));

/// Time limits of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the head of the answer has arrived, including resolving the name and connecting.
    pub(crate) answer: Duration,
    /// For a connection, including resolving the name and the TLS handshake.
    pub(crate) connection: Duration,
    /// For the beginning of the body. The answer counts without it.
    pub(crate) body: Duration,
}

/// A call takes at most 15 s.
pub(crate) const LIMITS: Limits = Limits {
    answer: Duration::from_secs(13),
    connection: Duration::from_secs(5),
    body: Duration::from_secs(2),
};

/// The HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the HTTP client of webhooks")]
pub struct ClientError(#[from] reqwest::Error);

/// The certificate authorities that the client trusts.
pub(crate) enum Trust {
    /// Those of the operating system, or of `SSL_CERT_FILE`.
    System,
    /// Only this one.
    #[cfg_attr(not(test), expect(dead_code, reason = "for servers in tests"))]
    Only(Certificate),
    /// None, because none is installed.
    Nobody,
}

/// The HTTP client of webhooks.
#[derive(Debug, Clone)]
pub(crate) struct WebhookClient {
    pub(crate) client: Client,
    /// Whether it trusts any certificate authority. Without one, every call with `https` would fail.
    pub(crate) has_authorities: bool,
}

/// The HTTP client of webhooks. If the system has no CA certificates, it trusts nobody: the program must
/// start although it cannot call webhooks, because it has other work.
pub(crate) fn webhook_client(
    policy: &Arc<Policy>,
    lookup: impl Lookup,
    limits: Limits,
    trust: Trust,
) -> Result<WebhookClient, ClientError> {
    let has_authorities = !matches!(trust, Trust::Nobody);
    if let Ok(client) = http_client(policy, lookup.clone(), limits, trust) {
        return Ok(WebhookClient { client, has_authorities });
    }
    // The type of the error does not tell the reason. If it is another one, this fails too.
    let client = http_client(policy, lookup, limits, Trust::Nobody)?;
    tracing::warn!(
        "no CA certificates are installed; webhooks with https cannot be called until they are \
         installed and the program is restarted (see also SSL_CERT_FILE)"
    );
    Ok(WebhookClient { client, has_authorities: false })
}

/// An HTTP client that connects only to hosts that the policy permits. For URLs that contain an
/// address, this holds only if the URL was checked before: such a URL needs no resolver.
fn http_client(
    policy: &Arc<Policy>,
    lookup: impl Lookup,
    limits: Limits,
    trust: Trust,
) -> Result<Client, ClientError> {
    // A build with the embedded servers has two cryptography providers, and creating a client without a
    // selection panics. It fails if one was selected before. That one is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let json = HeaderValue::from_static("application/json");
    let client = Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(CONTENT_TYPE, json)]))
        .dns_resolver(PermittedAddresses::new(lookup, Arc::clone(policy)))
        // A proxy would resolve the name again and connect to any address.
        .no_proxy()
        // A redirect can lead to an address inside.
        .redirect(redirect::Policy::none())
        .https_only(!policy.allow_http_loopback)
        .http1_only()
        .connect_timeout(limits.connection)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(30));
    let client = match trust {
        Trust::System => client,
        Trust::Only(certificate) => client.tls_certs_only([certificate]),
        Trust::Nobody => client.tls_certs_only([]),
    };
    Ok(client.build()?)
}
