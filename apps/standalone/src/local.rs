use reqwest::Client;
use runtime::StartError;

/// A client of services on this host. A proxy that the environment names for the rest of the world
/// is not asked: it would look for them on its own host.
pub(crate) fn client() -> Result<Client, StartError> {
    Client::builder()
        .no_proxy()
        .build()
        .map_err(|error| StartError::other("cannot make an HTTP client", error))
}
