use reqwest::Client;
use runtime::StartError;

/// An HTTP client for services on this host. It ignores the proxy settings of the environment: a
/// proxy would look for the services on its own host. It needs no CA certificates: none of them has TLS.
pub(crate) fn client() -> Result<Client, StartError> {
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .map_err(|error| StartError::other("cannot create an HTTP client", error))
}
