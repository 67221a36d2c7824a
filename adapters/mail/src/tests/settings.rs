use crate::settings::Encryption;
use crate::{SmtpMailer, SmtpSettings, SmtpSettingsError};

fn settings(url: &str, password: Option<&str>, from: &str) -> SmtpSettings {
    SmtpSettings { url: url.to_owned(), password: password.map(Into::into), from: from.to_owned() }
}

fn server(url: &str, password: Option<&str>) -> (String, u16, &'static str) {
    let (server, _) = settings(url, password, "orders@shop.example").parse().unwrap();
    assert_eq!(server.credentials.is_some(), password.is_some());
    let tls = match server.encryption {
        Encryption::Off => "off",
        Encryption::StartTls(_) => "starttls",
        Encryption::FromTheStart(_) => "tls",
    };
    (server.host, server.port, tls)
}

#[test]
fn the_url_says_where_the_server_is_and_how_the_connection_is_encrypted() {
    for (url, password, (host, port, tls)) in [
        ("smtp://localhost", None, ("localhost", 25, "off")),
        ("smtp://[::1]:1025/", None, ("::1", 1025, "off")),
        ("smtp://127.0.0.1:1025", None, ("127.0.0.1", 1025, "off")),
        ("smtp://mail.example.org?tls=required", None, ("mail.example.org", 587, "starttls")),
        (
            "smtp://u@mail.example.org:2525?tls=required",
            Some("p"),
            ("mail.example.org", 2525, "starttls"),
        ),
        ("smtps://u%40x@mail.example.org", Some("p"), ("mail.example.org", 465, "tls")),
    ] {
        assert_eq!(server(url, password), (host.to_owned(), port, tls), "{url}");
    }
}

fn error(url: &str, password: Option<&str>, from: &str) -> String {
    let now = runtime::clock::now;
    match SmtpMailer::new(&settings(url, password, from), now).unwrap_err() {
        SmtpSettingsError::Url(error) => format!("URL {error}"),
        SmtpSettingsError::Password(error) => format!("PASSWORD {error}"),
        SmtpSettingsError::From(error) => format!("FROM {error}"),
    }
}

#[test]
fn a_wrong_setting_is_named_with_the_reason_and_without_its_text() {
    const FROM: &str = "Orders <orders@shop.example>";
    for (url, password, from, expected) in [
        ("", None, FROM, "URL must be a URL"),
        ("mail.example.org", None, FROM, "URL must be a URL"),
        ("http://mail.example.org", None, FROM, "URL must start with smtp:// or smtps://"),
        ("smtp:mail.example.org", None, FROM, "URL must contain the host"),
        ("smtps://u:secret@mail.example.org", Some("p"), FROM, "URL must not contain a password"),
        ("smtp://u@mail.example.org", Some("p"), FROM, "URL must require TLS"),
        ("smtp://mail.example.org?tls=opportunistic", None, FROM, "URL must end after the host"),
        ("smtps://mail.example.org?tls=required", None, FROM, "URL must end after the host"),
        ("smtp://mail.example.org/path", None, FROM, "URL must end after the host"),
        ("smtps://%ff@mail.example.org", Some("p"), FROM, "URL must contain a user in UTF-8"),
        ("smtps://u@mail.example.org", None, FROM, "PASSWORD is missing"),
        ("smtps://mail.example.org", Some("p"), FROM, "PASSWORD is set, but"),
        ("smtp://localhost", None, "", "FROM must be an address"),
        ("smtp://localhost", None, "orders", "FROM must be an address"),
        (
            "smtp://localhost",
            None,
            "a@shop.example\r\nBcc: b@shop.example",
            "FROM must be an address",
        ),
        ("smtp://localhost", None, "a@shop.example, b@shop.example", "FROM must be an address"),
        ("smtp://localhost", None, "orders@müller.example", "FROM must be an address in ASCII"),
    ] {
        let error = error(url, password, from);
        assert!(error.starts_with(expected), "{url} {from}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
