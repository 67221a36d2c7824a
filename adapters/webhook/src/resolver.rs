use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::Policy;

/// Looks up the addresses of a name.
pub(crate) trait Lookup: Clone + Send + Sync + 'static {
    fn addresses(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// The resolver of the HTTP client: returns only addresses that the policy permits.
///
/// The client resolves a name once per connection and connects to the returned addresses. A later,
/// different answer of the DNS (DNS rebinding) has no effect.
#[derive(Debug)]
pub(crate) struct PermittedAddresses<L> {
    lookup: Arc<L>,
    policy: Arc<Policy>,
}

impl<L> PermittedAddresses<L> {
    pub(crate) fn new(lookup: L, policy: Arc<Policy>) -> Self {
        Self { lookup: Arc::new(lookup), policy }
    }
}

/// Why no address of a name can be called. The messages contain no address: the owner of the name must
/// not learn what it resolves to inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("the name {name} cannot be resolved")]
    Unknown {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error(
        "the name {0} now resolves only to addresses in private or reserved networks, so it was not \
         called; see WEBHOOK_ALLOWED_NETWORKS"
    )]
    Forbidden(String),
}

impl<L: Lookup> Resolve for PermittedAddresses<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, policy) = (Arc::clone(&self.lookup), Arc::clone(&self.policy));
        Box::pin(async move {
            let addresses = permitted(&*lookup, &policy, name.as_str()).await?;
            // The client replaces port 0 by the port of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

async fn permitted(
    lookup: &impl Lookup,
    policy: &Policy,
    name: &str,
) -> Result<Vec<IpAddr>, ResolveError> {
    let mut addresses = match lookup.addresses(name).await {
        Ok(addresses) if addresses.is_empty() => Err(io::ErrorKind::NotFound.into()),
        result => result,
    }
    .map_err(|source| ResolveError::Unknown { name: name.to_owned(), source })?;
    addresses.retain(|&address| policy.permits_for(name, address));
    if addresses.is_empty() {
        return Err(ResolveError::Forbidden(name.to_owned()));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::Names;

    #[derive(Clone)]
    struct Fixed(&'static [&'static str]);

    impl Lookup for Fixed {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    async fn resolve(found: &'static [&'static str]) -> Result<Vec<String>, String> {
        let addresses = permitted(&Fixed(found), &Policy::default(), "hooks.example").await;
        addresses
            .map(|addresses| addresses.iter().map(ToString::to_string).collect())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_permitted_addresses_of_a_name_are_used() {
        let found = resolve(&["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"]).await;
        assert_eq!(found.unwrap(), ["8.8.8.8", "2606:4700::1111"]);
    }

    #[tokio::test]
    async fn a_name_without_a_permitted_address_is_an_error_that_contains_no_address() {
        let error = resolve(&["10.0.0.1", "fd00::1"]).await.unwrap_err();
        assert!(error.starts_with("the name hooks.example now resolves only to addresses in priv"));
        assert!(!error.contains("10.0.0.1") && !error.contains("fd00"), "{error}");
        let error = resolve(&[]).await.unwrap_err();
        assert_eq!(error, "the name hooks.example cannot be resolved");
    }

    #[tokio::test]
    async fn each_answer_of_the_name_service_is_checked() {
        let names = Names::default().with("hooks.example", &["8.8.8.8", "127.0.0.1"]);
        let resolver = PermittedAddresses::new(names, Arc::new(Policy::default()));
        let first = resolver.resolve("hooks.example".parse().unwrap()).await;
        assert_eq!(first.unwrap().collect::<Vec<_>>(), ["8.8.8.8:0".parse().unwrap()]);
        let second = resolver.resolve("hooks.example".parse().unwrap()).await.err().unwrap();
        let second = second.downcast::<ResolveError>().unwrap();
        assert!(matches!(*second, ResolveError::Forbidden(_)), "{second}");
    }

    #[tokio::test]
    async fn the_system_resolves_localhost_to_loopback_addresses() {
        let addresses = SystemLookup.addresses("localhost").await.unwrap();
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
