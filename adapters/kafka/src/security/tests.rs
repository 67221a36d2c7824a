use super::*;

/// A file that can be read, whatever is in it.
const READABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

type Variables = &'static [(&'static str, &'static str)];

/// The settings that these variables make.
fn args(variables: &[(&str, &str)]) -> KafkaSecurityArgs {
    let mut args = KafkaSecurityArgs::default();
    for &(variable, value) in variables {
        let text = || Some(value.to_owned());
        match variable {
            "PROTOCOL" => args.kafka_security_protocol = text(),
            "MECHANISM" => args.kafka_sasl_mechanism = text(),
            "USERNAME" => args.kafka_sasl_username = text(),
            "PASSWORD" => args.kafka_sasl_password = Some(value.into()),
            "PASSWORD_FILE" => args.kafka_sasl_password_file = Some(value.into()),
            "CA" => args.kafka_ssl_ca_location = text(),
            "CERTIFICATE" => args.kafka_ssl_certificate_location = text(),
            "KEY" => args.kafka_ssl_key_location = text(),
            "KEY_PASSWORD" => args.kafka_ssl_key_password = Some(value.into()),
            "KEY_PASSWORD_FILE" => args.kafka_ssl_key_password_file = Some(value.into()),
            other => panic!("no such variable: {other}"),
        }
    }
    args
}

fn asked_for(variables: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    properties(&args(variables), true).unwrap()
}

#[test]
fn nothing_set_is_plaintext() {
    let plaintext = [("security.protocol", "plaintext".to_owned())];
    assert_eq!(asked_for(&[]), plaintext);
    // As a deployment leaves them that fills in nothing.
    assert_eq!(
        asked_for(&[("PROTOCOL", ""), ("USERNAME", ""), ("PASSWORD", ""), ("CA", "")]),
        plaintext
    );
}

#[test]
fn what_is_set_becomes_what_librdkafka_calls_it() {
    let sasl = asked_for(&[
        ("PROTOCOL", "SASL_SSL"),
        ("MECHANISM", "scram-sha-512"),
        ("USERNAME", "orders"),
        ("PASSWORD", "pass"),
        ("CA", READABLE),
    ]);
    let expected = [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanisms", "SCRAM-SHA-512"),
        ("sasl.username", "orders"),
        ("sasl.password", "pass"),
        ("ssl.ca.location", READABLE),
    ];
    assert_eq!(sasl, expected.map(|(name, value)| (name, value.to_owned())));

    let ssl = asked_for(&[
        ("PROTOCOL", "ssl"),
        ("CERTIFICATE", READABLE),
        ("KEY", READABLE),
        ("KEY_PASSWORD", "pass"),
    ]);
    let expected = [
        ("security.protocol", "ssl"),
        ("ssl.ca.location", "probe"),
        ("ssl.certificate.location", READABLE),
        ("ssl.key.location", READABLE),
        ("ssl.key.password", "pass"),
    ];
    assert_eq!(ssl, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn every_wrong_setting_is_one_line_that_names_it_and_what_would_be_right() {
    const SASL: (&str, &str) = ("PROTOCOL", "sasl_ssl");
    const PLAIN: (&str, &str) = ("MECHANISM", "PLAIN");
    const SSL: (&str, &str) = ("PROTOCOL", "ssl");
    const NOWHERE: &str = "/nowhere/file";
    let table: [(Variables, &str, &str); 19] = [
        (&[("PROTOCOL", "tls")], PROTOCOL, "there is no protocol tls; write plaintext, ssl,"),
        (&[SASL], MECHANISM, "it is not set; write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        (&[SASL, ("MECHANISM", "GSSAPI")], MECHANISM, "there is no mechanism GSSAPI; write PLAIN,"),
        (&[SASL, PLAIN, ("PASSWORD", "pass")], USERNAME, "it is not set; name the user"),
        (
            &[SASL, PLAIN, ("USERNAME", "ada")],
            PASSWORD,
            "set it, or KAFKA_SASL_PASSWORD_FILE, for the user ada",
        ),
        (
            &[SASL, PLAIN, ("USERNAME", "ada"), ("PASSWORD_FILE", NOWHERE)],
            PASSWORD_FILE,
            "cannot read /nowhere/file",
        ),
        (
            &[("PASSWORD", "pass"), ("PASSWORD_FILE", NOWHERE)],
            PASSWORD_FILE,
            "KAFKA_SASL_PASSWORD is set too",
        ),
        (
            &[PLAIN],
            MECHANISM,
            "plaintext does not use it; set KAFKA_SECURITY_PROTOCOL to sasl_ssl or",
        ),
        (&[("USERNAME", "ada")], USERNAME, "plaintext does not use it"),
        (&[SSL, ("PASSWORD", "pass")], PASSWORD, "ssl does not use it"),
        (
            &[("CA", READABLE)],
            CA,
            "plaintext does not use it; set KAFKA_SECURITY_PROTOCOL to ssl or sasl_ssl",
        ),
        (&[("KEY_PASSWORD", "pass")], KEY_PASSWORD, "plaintext does not use it"),
        (&[SSL, ("CA", NOWHERE)], CA, "cannot read /nowhere/file: No such file or directory"),
        (&[SSL, ("CERTIFICATE", READABLE)], KEY, "KAFKA_SSL_CERTIFICATE_LOCATION needs its key"),
        (&[SSL, ("KEY", READABLE)], CERTIFICATE, "KAFKA_SSL_KEY_LOCATION needs its certificate"),
        (&[SSL, ("CERTIFICATE", NOWHERE), ("KEY", READABLE)], CERTIFICATE, "name a PEM file"),
        (&[SSL, ("CERTIFICATE", READABLE), ("KEY", NOWHERE)], KEY, "name a PEM file"),
        (&[SSL, ("KEY_PASSWORD", "pass")], KEY_PASSWORD, "there is no key for it"),
        (&[SSL, ("KEY_PASSWORD_FILE", NOWHERE)], KEY_PASSWORD_FILE, "cannot read /nowhere/file"),
    ];
    for (variables, variable, reason) in table {
        let said = properties(&args(variables), true).unwrap_err().to_string();
        assert!(said.starts_with(&format!("{variable} is wrong: ")), "{variables:?}: {said}");
        assert!(said.contains(reason) && !said.contains('\n'), "{variables:?}: {said}");
    }
}

#[test]
fn a_program_built_without_tls_says_so() {
    for protocol in ["ssl", "sasl_plaintext", "sasl_ssl"] {
        let said = properties(&args(&[("PROTOCOL", protocol)]), false).unwrap_err().to_string();
        let begins =
            format!("{PROTOCOL} is wrong: this program was built without {protocol}; build");
        assert!(said.starts_with(&begins), "{said}");
    }
    assert!(properties(&args(&[("PROTOCOL", "plaintext")]), false).is_ok());
}
