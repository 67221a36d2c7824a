//! Connection settings of the schema registry: URL, user, password and CA certificates.

use reqwest::{Certificate, ClientBuilder};
use runtime::StartError;
use runtime::config::{KafkaArgs, RegistryArgs, Secret, given, secret};
use schema_registry_converter::async_impl::schema_registry::SrSettings;
use url::{Host, Url};

use super::{TIMEOUT, reason};

// The environment variables, named in error messages.
const URL: &str = "SCHEMA_REGISTRY_URL";
const USERNAME: &str = "SCHEMA_REGISTRY_USERNAME";
const PASSWORD: &str = "SCHEMA_REGISTRY_PASSWORD";
const PASSWORD_FILE: &str = "SCHEMA_REGISTRY_PASSWORD_FILE";
const CA: &str = "SCHEMA_REGISTRY_CA_LOCATION";

/// The settings of the client library.
///
/// # Errors
/// When a setting is wrong. The message names its variable and says what would be right.
pub(super) fn settings(args: &KafkaArgs) -> Result<SrSettings, StartError> {
    let url = parse_url(&args.schema_registry_url)?;
    let mut builder = SrSettings::new_builder(url.as_str().trim_end_matches('/').to_owned());
    builder.set_timeout(TIMEOUT);
    let (client, login) = http_client(&url, &args.registry)?;
    if let Some(Login { username, password }) = login {
        builder.set_basic_authorization(&username, Some(password.reveal()));
    }
    builder
        .build_with(client)
        .map_err(|error| StartError::other("cannot use the schema registry", reason(&error)))
}

/// User and password of the registry.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: Secret,
}

/// Builder of an HTTP client for this URL that trusts the configured CA certificates, and the login, if
/// any is set.
///
/// It does not use the proxy of the environment for a registry on this host: a proxy would look for it
/// on its own host.
///
/// # Errors
/// When a setting is wrong. The message names its variable and says what would be right.
pub(crate) fn http_client(
    url: &Url,
    args: &RegistryArgs,
) -> Result<(ClientBuilder, Option<Login>), StartError> {
    crate::tls::prepare();
    let mut client = ClientBuilder::new();
    if is_on_this_host(url) {
        client = client.no_proxy();
    }
    if let Some(path) = given(args.schema_registry_ca_location.as_ref()) {
        client = client.tls_certs_only(ca_certificates(path)?);
    } else if url.scheme() == "http" && ClientBuilder::new().build().is_err() {
        // The system has no CA certificates. A client fails then, although it does not need them here.
        client = client.tls_certs_only([]);
    }
    Ok((client, login(args)?))
}

/// Parses the URL of the registry.
///
/// # Errors
/// When it is no valid URL. The message does not repeat a password in it.
pub(crate) fn parse_url(text: &str) -> Result<Url, StartError> {
    let right = "write http://host:port or https://host:port, with a path if there is one";
    let url =
        Url::parse(text).map_err(|error| StartError::setting(URL, format!("{error}; {right}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(StartError::setting(URL, format!("it is neither http nor https; {right}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let right = format!("set {USERNAME} and {PASSWORD} instead");
        return Err(StartError::setting(
            URL,
            format!("it must not contain a user or a password; {right}"),
        ));
    }
    Ok(url)
}

fn is_on_this_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn login(args: &RegistryArgs) -> Result<Option<Login>, StartError> {
    let username = given(args.schema_registry_username.as_ref());
    let password = secret(
        (PASSWORD, args.schema_registry_password.as_ref()),
        (PASSWORD_FILE, args.schema_registry_password_file.as_deref()),
    )?;
    match (username, password) {
        (Some(username), Some(password)) => {
            Ok(Some(Login { username: username.to_owned(), password }))
        }
        (Some(username), None) => {
            let right = format!("set it, or {PASSWORD_FILE}, for the user {username}");
            Err(StartError::setting(PASSWORD, format!("it is not set; {right}")))
        }
        (None, Some(_)) => Err(StartError::setting(
            USERNAME,
            format!("it is not set, but {PASSWORD} is; set the user"),
        )),
        (None, None) => Ok(None),
    }
}

fn ca_certificates(path: &str) -> Result<Vec<Certificate>, StartError> {
    let right = "name a PEM file that holds certificates";
    let pem = std::fs::read(path).map_err(|error| {
        StartError::setting(CA, format!("cannot read {path}: {error}; {right}"))
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(StartError::setting(CA, format!("there is no certificate in {path}; {right}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    /// Settings from these variables.
    fn args(variables: &[(&str, &str)]) -> KafkaArgs {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        for &(variable, value) in variables {
            match variable {
                "URL" => value.clone_into(&mut args.schema_registry_url),
                "USERNAME" => args.registry.schema_registry_username = Some(value.to_owned()),
                "PASSWORD" => args.registry.schema_registry_password = Some(value.into()),
                "PASSWORD_FILE" => {
                    args.registry.schema_registry_password_file = Some(value.into());
                }
                "CA" => args.registry.schema_registry_ca_location = Some(value.to_owned()),
                other => panic!("no such variable: {other}"),
            }
        }
        args
    }

    #[test]
    fn a_login_is_optional() {
        for variables in [
            &[][..],
            &[("URL", "https://registry.example/apis/ccompat/v7/")],
            &[("USERNAME", "ada"), ("PASSWORD", "pass")],
            &[("USERNAME", ""), ("PASSWORD", ""), ("CA", "")],
        ] {
            assert!(settings(&args(variables)).is_ok(), "{variables:?}");
        }
    }

    #[test]
    fn the_addresses_of_this_host_are_known() {
        for (url, expected) in [
            ("http://localhost:8081", true),
            ("http://127.0.0.1:8081", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8081/apis", true),
            ("http://registry:8081", false),
            ("http://10.0.0.1:8081", false),
        ] {
            assert_eq!(is_on_this_host(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_wrong_setting_is_reported_in_one_line_with_its_variable_and_what_is_right() {
        const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let table: [(Variables, &str, &str); 10] = [
            (&[("URL", "")], URL, "relative URL without a base; write http://host:port or https"),
            (&[("URL", "registry:8081")], URL, "it is neither http nor https; write http://"),
            (&[("URL", "ftp://registry")], URL, "it is neither http nor https"),
            (&[("URL", "http://:8081")], URL, "empty host; write http://host:port"),
            (&[("URL", "https://ada:hunter2@host")], URL, "it must not contain a user"),
            (&[("USERNAME", "ada")], PASSWORD, "it is not set; set it, or SCHEMA_REGISTRY_PASSW"),
            (
                &[("PASSWORD", "hunter2")],
                USERNAME,
                "it is not set, but SCHEMA_REGISTRY_PASSWORD is",
            ),
            (&[("PASSWORD_FILE", "/nowhere/file")], PASSWORD_FILE, "cannot read /nowhere/file"),
            (&[("CA", "/nowhere/file")], CA, "cannot read /nowhere/file"),
            (&[("CA", MANIFEST)], CA, "there is no certificate in "),
        ];
        for (variables, variable, reason) in table {
            let message = settings(&args(variables)).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{variable} is wrong: {reason}")), "{message}");
            assert!(!message.contains('\n') && !message.contains("hunter2"), "{message}");
        }
    }
}
