use std::net::IpAddr;

use url::{Host, Url};

use crate::policy::{Policy, is_localhost};

/// The maximum length of a URL in characters.
const MAX_LENGTH: usize = 2048;

/// The URL of a webhook that a [`Policy`] permits. It is parsed once, so that the rules and the HTTP
/// client cannot read it differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VettedUrl(Url);

impl VettedUrl {
    /// The URL.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }
}

impl Policy {
    /// Checks the URL of a webhook before it is registered. The name of the host is not resolved: that
    /// is done for each call.
    ///
    /// # Errors
    /// When the URL is not permitted. The message fits after the name of the field.
    pub fn vet(&self, url: &str) -> Result<(), UrlError> {
        vet_url(url, self).map(|_| ())
    }
}

/// Why a URL is not permitted. The messages fit after the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is too long.
    #[error("must have at most {MAX_LENGTH} characters")]
    TooLong,
    /// It contains characters that programs read differently.
    #[error("must not contain spaces, control characters or backslashes")]
    Characters,
    /// It is not an absolute URL.
    #[error("must be a URL such as https://example.com/orders ({0})")]
    Invalid(url::ParseError),
    /// It has no `//` and host after the scheme.
    #[error("must be a URL such as https://example.com/orders")]
    NoHost,
    /// The scheme is not permitted.
    #[error("must use https")]
    Scheme,
    /// It contains a user name or password.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// It contains a fragment, which is never sent.
    #[error("must not contain a fragment (#)")]
    Fragment,
    /// The port is 0.
    #[error("must not use port 0")]
    Port,
    /// The host is no usual name.
    #[error(
        "must have a host name of letters, digits, `-`, `_` and dots, without a dot at the end"
    )]
    HostName,
    /// The host is this host.
    #[error("must not be on localhost")]
    Localhost,
    /// The host is an address that is not permitted.
    #[error(
        "must not be an address inside a private or reserved network; see WEBHOOK_ALLOWED_NETWORKS"
    )]
    Address,
}

/// Checks that the policy permits this URL. The name of the host is not resolved.
///
/// All ports except 0 are permitted. With `https` a server gets only a TLS handshake before it has
/// proved its name, so that a call cannot be mistaken for a request of another protocol.
///
/// # Errors
/// When the policy does not permit it.
pub fn vet_url(text: &str, policy: &Policy) -> Result<VettedUrl, UrlError> {
    if text.chars().count() > MAX_LENGTH {
        return Err(UrlError::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(UrlError::Characters);
    }
    let url = Url::parse(text).map_err(UrlError::Invalid)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    // The parser accepts any number of slashes.
    let after_scheme = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    if after_scheme.is_none_or(|rest| rest.starts_with('/')) {
        return Err(UrlError::NoHost);
    }
    let Some(host) = url.host() else { return Err(UrlError::NoHost) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    if url.port() == Some(0) {
        return Err(UrlError::Port);
    }
    vet_host(&host, policy)?;
    if url.scheme() == "http" && !(policy.allow_http_loopback && is_this_host(&host)) {
        return Err(UrlError::Scheme);
    }
    Ok(VettedUrl(url))
}

/// Checks the host after parsing, which has turned all forms of addresses into the usual one.
fn vet_host(host: &Host<&str>, policy: &Policy) -> Result<(), UrlError> {
    match host {
        Host::Domain(name) if !is_usual_name(name) => Err(UrlError::HostName),
        Host::Domain(name) if is_localhost(name) && !policy.permits_localhost() => {
            Err(UrlError::Localhost)
        }
        Host::Domain(_) => Ok(()),
        Host::Ipv4(address) => vet_address((*address).into(), policy),
        Host::Ipv6(address) => vet_address((*address).into(), policy),
    }
}

fn vet_address(address: IpAddr, policy: &Policy) -> Result<(), UrlError> {
    if policy.permits(address) { Ok(()) } else { Err(UrlError::Address) }
}

/// Whether certificates, HTTP clients and resolvers agree on this name.
fn is_usual_name(name: &str) -> bool {
    name.split('.').all(|label| {
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(usual)
    })
}

fn is_this_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVELOPMENT: Policy = Policy { allow_http_loopback: true, allowed_networks: Vec::new() };

    #[test]
    fn usual_urls_are_permitted() {
        for url in [
            "https://example.com",
            "https://example.com/orders?token=a%20b",
            "HTTPS://Example.COM:8443/",
            "https://münchen.example/",
            "https://hooks_eu.example.com/",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]:8443/",
        ] {
            let vetted = vet_url(url, &Policy::default()).unwrap();
            assert_eq!(vetted.as_url().as_str(), Url::parse(url).unwrap().as_str());
        }
        let longest = format!("https://example.com/{}", "é".repeat(MAX_LENGTH - 20));
        assert_eq!(Policy::default().vet(&longest), Ok(()));
        assert_eq!(Policy::default().vet(&format!("{longest}é")), Err(UrlError::TooLong));
    }

    #[test]
    fn http_is_permitted_only_to_this_host_and_only_in_development() {
        for url in [
            "http://localhost:3000/",
            "http://hooks.localhost/",
            "http://127.0.0.1:3000/",
            "http://127.1/",
            "http://[::1]:3000/",
            "https://localhost/",
        ] {
            assert_eq!(DEVELOPMENT.vet(url), Ok(()), "{url}");
            assert!(Policy::default().vet(url).is_err(), "{url}");
        }
        for url in ["http://example.com/", "http://8.8.8.8/", "http://localhost.example/"] {
            assert_eq!(DEVELOPMENT.vet(url), Err(UrlError::Scheme), "{url}");
        }
        for url in ["http://10.0.0.1/", "https://10.0.0.1/", "http://[::ffff:127.0.0.1]/"] {
            assert_eq!(DEVELOPMENT.vet(url), Err(UrlError::Address), "{url}");
        }
    }

    #[test]
    fn an_allowed_network_is_permitted_with_https_only() {
        let allowed_networks = crate::parse_networks("10.1.0.0/16,127.0.0.1").unwrap();
        let policy = Policy { allowed_networks, ..Policy::default() };
        for url in ["https://10.1.2.3/", "https://127.0.0.1/", "https://localhost/"] {
            assert_eq!(policy.vet(url), Ok(()), "{url}");
        }
        for url in ["http://10.1.2.3/", "http://127.0.0.1/", "http://localhost/"] {
            assert_eq!(policy.vet(url), Err(UrlError::Scheme), "{url}");
        }
        for url in ["https://10.2.0.0/", "https://[::ffff:10.1.2.3]/", "https://[::1]/"] {
            assert_eq!(policy.vet(url), Err(UrlError::Address), "{url}");
        }
    }

    #[test]
    fn the_messages_fit_after_the_name_of_a_field() {
        let message = |url: &str| Policy::default().vet(url).unwrap_err().to_string();
        for (url, expected) in [
            ("http://example.com/", "must use https"),
            ("https://ada:pass@example.com/", "must not contain a user name or password"),
            ("https://localhost/", "must not be on localhost"),
            (
                "example.com",
                "must be a URL such as https://example.com/orders (relative URL without a base)",
            ),
            (
                "https://10.0.0.1/",
                "must not be an address inside a private or reserved network; see \
                 WEBHOOK_ALLOWED_NETWORKS",
            ),
        ] {
            assert_eq!(message(url), expected);
        }
    }
}
