//! TLS and SASL settings of the brokers, converted to properties of librdkafka.
//!
//! Contradictions between settings are reported before a client connects.

#[cfg(test)]
mod tests;

use std::fs::File;

use runtime::StartError;
use runtime::config::{KafkaSecurityArgs, given, secret};

/// Whether this program was built with OpenSSL. Without it, librdkafka supports only plaintext.
pub(super) const TLS_IS_BUILT_IN: bool = cfg!(feature = "tls");

// The environment variables, named in error messages.
const PROTOCOL: &str = "KAFKA_SECURITY_PROTOCOL";
const MECHANISM: &str = "KAFKA_SASL_MECHANISM";
const USERNAME: &str = "KAFKA_SASL_USERNAME";
const PASSWORD: &str = "KAFKA_SASL_PASSWORD";
const PASSWORD_FILE: &str = "KAFKA_SASL_PASSWORD_FILE";
const CA: &str = "KAFKA_SSL_CA_LOCATION";
const CERTIFICATE: &str = "KAFKA_SSL_CERTIFICATE_LOCATION";
const KEY: &str = "KAFKA_SSL_KEY_LOCATION";
const KEY_PASSWORD: &str = "KAFKA_SSL_KEY_PASSWORD";
const KEY_PASSWORD_FILE: &str = "KAFKA_SSL_KEY_PASSWORD_FILE";

/// Names and values of librdkafka properties.
pub(super) type Properties = Vec<(&'static str, String)>;

/// Security protocol of a connection to a broker.
#[derive(Debug, Clone, Copy)]
struct Protocol {
    name: &'static str,
    ssl: bool,
    sasl: bool,
}

const PLAINTEXT: Protocol = Protocol { name: "plaintext", ssl: false, sasl: false };
const PROTOCOLS: [Protocol; 4] = [
    PLAINTEXT,
    Protocol { name: "ssl", ssl: true, sasl: false },
    Protocol { name: "sasl_plaintext", ssl: false, sasl: true },
    Protocol { name: "sasl_ssl", ssl: true, sasl: true },
];

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The librdkafka properties for these settings.
///
/// # Errors
/// When they are wrong, contradict each other, or need a feature that this build does not have.
pub(super) fn properties(
    args: &KafkaSecurityArgs,
    tls_is_built_in: bool,
) -> Result<Properties, StartError> {
    let protocol = protocol(args, tls_is_built_in)?;
    let mut properties = vec![("security.protocol", protocol.name.to_owned())];
    properties.extend(sasl(args, protocol)?);
    properties.extend(ssl(args, protocol)?);
    Ok(properties)
}

fn protocol(args: &KafkaSecurityArgs, tls_is_built_in: bool) -> Result<Protocol, StartError> {
    let Some(name) = given(args.kafka_security_protocol.as_ref()) else {
        return Ok(PLAINTEXT);
    };
    let known = PROTOCOLS.into_iter().find(|known| known.name.eq_ignore_ascii_case(name));
    let Some(protocol) = known else {
        let right = "write plaintext, ssl, sasl_plaintext or sasl_ssl";
        return Err(StartError::setting(PROTOCOL, format!("there is no protocol {name}; {right}")));
    };
    if (protocol.ssl || protocol.sasl) && !tls_is_built_in {
        let right = "build with `--features tls`, as the images are, or write plaintext";
        return Err(StartError::setting(
            PROTOCOL,
            format!("this program was built without {name}; {right}"),
        ));
    }
    Ok(protocol)
}

/// The properties of SASL.
fn sasl(args: &KafkaSecurityArgs, protocol: Protocol) -> Result<Properties, StartError> {
    let mechanism = given(args.kafka_sasl_mechanism.as_ref());
    let username = given(args.kafka_sasl_username.as_ref());
    let password = secret(
        (PASSWORD, args.kafka_sasl_password.as_ref()),
        (PASSWORD_FILE, args.kafka_sasl_password_file.as_deref()),
    )?;
    if !protocol.sasl {
        let set = [
            (MECHANISM, mechanism.is_some()),
            (USERNAME, username.is_some()),
            (PASSWORD, password.is_some()),
        ];
        return reject_unused(&set, "sasl_ssl or sasl_plaintext", protocol);
    }
    let Some(mechanism) = mechanism else {
        return Err(StartError::setting(
            MECHANISM,
            format!("it is not set; write {}", mechanisms()),
        ));
    };
    let known = MECHANISMS.into_iter().find(|known| known.eq_ignore_ascii_case(mechanism));
    let Some(known) = known else {
        let reason = format!("there is no mechanism {mechanism}; write {}", mechanisms());
        return Err(StartError::setting(MECHANISM, reason));
    };
    let Some(username) = username else {
        return Err(StartError::setting(
            USERNAME,
            format!("it is not set; set the user to log in as with {known}"),
        ));
    };
    let Some(password) = password else {
        let reason = format!("it is not set; set it, or {PASSWORD_FILE}, for the user {username}");
        return Err(StartError::setting(PASSWORD, reason));
    };
    Ok(vec![
        ("sasl.mechanisms", known.to_owned()),
        ("sasl.username", username.to_owned()),
        ("sasl.password", password.reveal().to_owned()),
    ])
}

/// The properties of TLS: trusted CAs, client certificate and key.
fn ssl(args: &KafkaSecurityArgs, protocol: Protocol) -> Result<Properties, StartError> {
    let ca = given(args.kafka_ssl_ca_location.as_ref());
    let certificate = given(args.kafka_ssl_certificate_location.as_ref());
    let key = given(args.kafka_ssl_key_location.as_ref());
    let key_password = secret(
        (KEY_PASSWORD, args.kafka_ssl_key_password.as_ref()),
        (KEY_PASSWORD_FILE, args.kafka_ssl_key_password_file.as_deref()),
    )?;
    if !protocol.ssl {
        let set = [
            (CA, ca.is_some()),
            (CERTIFICATE, certificate.is_some()),
            (KEY, key.is_some()),
            (KEY_PASSWORD, key_password.is_some()),
        ];
        return reject_unused(&set, "ssl or sasl_ssl", protocol);
    }
    match (certificate, key) {
        (Some(_), None) => {
            return Err(StartError::setting(
                KEY,
                format!("it is not set, and {CERTIFICATE} needs its key"),
            ));
        }
        (None, Some(_)) => {
            return Err(StartError::setting(
                CERTIFICATE,
                format!("it is not set, and {KEY} needs its certificate"),
            ));
        }
        (None, None) if key_password.is_some() => {
            return Err(StartError::setting(
                KEY_PASSWORD,
                format!("there is no key for it; set {KEY}"),
            ));
        }
        _ => {}
    }
    // The built-in OpenSSL does not know the certificate folder of this system. With `probe`,
    // librdkafka searches for it.
    let mut properties = vec![("ssl.ca.location", ca.unwrap_or("probe").to_owned())];
    for (variable, name, path) in [
        (CA, None, ca),
        (CERTIFICATE, Some("ssl.certificate.location"), certificate),
        (KEY, Some("ssl.key.location"), key),
    ] {
        let Some(path) = path else { continue };
        if let Err(error) = File::open(path) {
            return Err(StartError::setting(
                variable,
                format!("cannot read {path}: {error}; name a PEM file"),
            ));
        }
        properties.extend(name.map(|name| (name, path.to_owned())));
    }
    properties.extend(key_password.map(|it| ("ssl.key.password", it.reveal().to_owned())));
    Ok(properties)
}

/// Fails if a variable is set that this protocol does not use.
fn reject_unused(
    set: &[(&'static str, bool)],
    used_with: &str,
    protocol: Protocol,
) -> Result<Properties, StartError> {
    let Some((variable, _)) = set.iter().find(|(_, set)| *set) else {
        return Ok(Vec::new());
    };
    let protocol = protocol.name;
    let reason = format!("{protocol} does not use it; set {PROTOCOL} to {used_with}, or unset it");
    Err(StartError::setting(*variable, reason))
}

/// The variable of the file that librdkafka complains about, if it is one of these.
pub(super) fn variable_of(complaint: &str) -> Option<&'static str> {
    [
        ("ssl.ca.location", CA),
        ("ssl.certificate.location", CERTIFICATE),
        ("ssl.key.location", KEY),
        ("Private key check", KEY),
    ]
    .into_iter()
    .find_map(|(message, variable)| complaint.contains(message).then_some(variable))
}

fn mechanisms() -> String {
    MECHANISMS.join(", ")
}
