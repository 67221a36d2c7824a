use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use runtime::config::Secret;
use url::{Host, Url};

/// The settings of the mail server, not yet checked.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The server: `smtp://host:25` without TLS, `smtp://user@host:587?tls=required` with STARTTLS, or
    /// `smtps://user@host:465` with TLS from the start.
    pub url: String,
    /// The password of the user in the URL.
    pub password: Option<Secret>,
    /// The sender of all letters: `orders@example.org` or `Orders <orders@example.org>`.
    pub from: String,
}

/// Which setting is wrong, and why. The program knows the name of its variable.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSettingsError {
    /// The URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The sender.
    #[error(transparent)]
    From(#[from] FromError),
}

/// What is wrong with the URL of the mail server. The texts do not repeat it, because it can contain a
/// password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// It is not a URL.
    #[error("must be a URL such as smtps://user@mail.example.org:465")]
    Syntax(#[source] url::ParseError),
    /// Another scheme.
    #[error("must start with smtp:// or smtps://")]
    Scheme,
    /// No host.
    #[error("must contain the host of the mail server")]
    Host,
    /// The user is not UTF-8.
    #[error("must contain a user in UTF-8 with percent encoding")]
    User,
    /// A password.
    #[error("must not contain a password; put the password into a file of its own")]
    Password,
    /// A user, but no TLS.
    #[error("must require TLS if it contains a user: add ?tls=required, or use smtps://")]
    Unprotected,
    /// A path, a fragment, or parameters other than `tls=required`.
    #[error("must end after the host and the port; only ?tls=required is allowed after smtp://")]
    Rest,
    /// TLS cannot be set up.
    #[error("requires TLS, which cannot be set up: {0}")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// What is wrong with the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// There is a user and no password.
    #[error("is missing: the URL of the mail server contains a user")]
    Missing,
    /// There is a password and no user.
    #[error("is set, but the URL of the mail server contains no user")]
    WithoutUser,
}

/// What is wrong with the sender.
#[derive(Debug, thiserror::Error)]
pub enum FromError {
    /// It is not an address.
    #[error("must be an address such as orders@example.org or Orders <orders@example.org>")]
    Syntax(#[source] lettre::address::AddressError),
    /// Its address is not ASCII.
    #[error("must be an address in ASCII; write its domain in the form xn--…")]
    NotAscii,
}

/// A mail server and how to log in.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) credentials: Option<Credentials>,
    /// The name of this client in `EHLO`. Providers such as Google's relay know their customers by it.
    pub(crate) hello: ClientId,
    pub(crate) timeouts: Timeouts,
}

/// The longest waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For a connection, and for the answer to a command.
    pub(crate) step: Duration,
    /// For sending a letter, with a new connection.
    pub(crate) send: Duration,
    /// How long a connection may be idle before it is closed.
    pub(crate) idle: Duration,
}

impl Timeouts {
    /// Servers close their idle connections after some minutes.
    const DEFAULT: Self = Self {
        step: Duration::from_secs(10),
        send: Duration::from_secs(30),
        idle: Duration::from_mins(1),
    };
}

/// How a connection is encrypted.
#[derive(Clone)]
pub(crate) enum Encryption {
    Off,
    StartTls(TlsParameters),
    FromTheStart(TlsParameters),
}

impl SmtpSettings {
    /// The server and the sender.
    pub(crate) fn parse(&self) -> Result<(Server, Mailbox), SmtpSettingsError> {
        let from = sender(&self.from)?;
        let url = Url::parse(&self.url).map_err(UrlError::Syntax)?;
        let host = host(&url)?;
        if url.password().is_some() {
            return Err(UrlError::Password.into());
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(UrlError::Rest.into());
        }
        let parameters = || TlsParameters::new(host.clone()).map_err(UrlError::Tls);
        let (encryption, default_port) = match (url.scheme(), url.query()) {
            ("smtp", None) => (Encryption::Off, 25),
            ("smtp", Some("tls=required")) => (Encryption::StartTls(parameters()?), 587),
            ("smtps", None) => (Encryption::FromTheStart(parameters()?), 465),
            ("smtp" | "smtps", Some(_)) => return Err(UrlError::Rest.into()),
            _ => return Err(UrlError::Scheme.into()),
        };
        let user = user(&url)?;
        if user.is_some() && matches!(encryption, Encryption::Off) {
            return Err(UrlError::Unprotected.into());
        }
        let credentials = match (user, &self.password) {
            (None, None) => None,
            (Some(user), Some(password)) => {
                Some(Credentials::new(user, password.reveal().to_owned()))
            }
            (Some(_), None) => return Err(PasswordError::Missing.into()),
            (None, Some(_)) => return Err(PasswordError::WithoutUser.into()),
        };
        let port = url.port().unwrap_or(default_port);
        let hello = ClientId::Domain(from.email.domain().to_owned());
        Ok((
            Server { host, port, encryption, credentials, hello, timeouts: Timeouts::DEFAULT },
            from,
        ))
    }
}

fn sender(text: &str) -> Result<Mailbox, FromError> {
    let from: Mailbox = text.trim().parse().map_err(FromError::Syntax)?;
    let address: &str = from.email.as_ref();
    if address.is_ascii() { Ok(from) } else { Err(FromError::NotAscii) }
}

/// The host as the resolver and TLS need it: an IPv6 address without brackets.
fn host(url: &Url) -> Result<String, UrlError> {
    match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => Ok(name.to_owned()),
        Some(Host::Ipv4(address)) => Ok(address.to_string()),
        Some(Host::Ipv6(address)) => Ok(address.to_string()),
        Some(Host::Domain(_)) | None => Err(UrlError::Host),
    }
}

fn user(url: &Url) -> Result<Option<String>, UrlError> {
    let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| UrlError::User)?;
    Ok((!user.is_empty()).then(|| user.into_owned()))
}
