//! URLs of someone who wants to reach this host or its network.

use application::notification::{SendError, WebhookSender};

use super::fixture::{DEVELOPMENT, Names, PATIENT, call, sender, sender_with};
use super::server::{Server, Then};
use crate::client::Trust;
use crate::{Policy, UrlError};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A server on all addresses of this host, IPv6 too if there is IPv6.
async fn server() -> Server {
    match tokio::net::TcpListener::bind("[::]:0").await {
        Ok(_) => Server::on("[::]:0", OK, Then::Serve).await,
        Err(_) => Server::on("0.0.0.0:0", OK, Then::Serve).await,
    }
}

/// The URLs, with `PORT` for the port of a server on this host.
#[rustfmt::skip]
const REFUSED: &[(&str, UrlError)] = &[
    // Addresses, and all ways to write them.
    ("https://127.0.0.1:PORT/", UrlError::Address),
    ("https://127.0.0.1.:PORT/", UrlError::Address),
    ("https://127.1:PORT/", UrlError::Address),
    ("https://127.0.1:PORT/", UrlError::Address),
    ("https://2130706433:PORT/", UrlError::Address),
    ("https://0x7f000001:PORT/", UrlError::Address),
    ("https://0x7f.1:PORT/", UrlError::Address),
    ("https://0x7F.0X0.0.0x1:PORT/", UrlError::Address),
    ("https://0177.0.0.1:PORT/", UrlError::Address),
    ("https://017700000001:PORT/", UrlError::Address),
    ("https://0177.0x0.1:PORT/", UrlError::Address),
    ("https://%31%32%37.0.0.1:PORT/", UrlError::Address),
    ("https://127。0。0。1:PORT/", UrlError::Address),
    ("https://127.0.0.1:PORT/", UrlError::Address),
    ("https://①②⑦.⓪.⓪.①:PORT/", UrlError::Address),
    ("https://127.0.0.1:PORT/", UrlError::Address),
    ("https://𝟏𝟐𝟕.0.0.1:PORT/", UrlError::Address),
    ("https://127.255.255.254:PORT/", UrlError::Address),
    ("https://0:PORT/", UrlError::Address),
    ("https://0.0.0.0:PORT/", UrlError::Address),
    ("https://0x0:PORT/", UrlError::Address),
    ("https://10.0.0.1:PORT/", UrlError::Address),
    ("https://172.16.0.1/", UrlError::Address),
    ("https://192.168.0.1/", UrlError::Address),
    ("https://100.64.0.1/", UrlError::Address),
    ("https://169.254.169.254/latest/meta-data/", UrlError::Address),
    ("https://2852039166/latest/meta-data/", UrlError::Address),
    ("https://0xA9FEA9FE/", UrlError::Address),
    ("https://224.0.0.1/", UrlError::Address),
    ("https://255.255.255.255/", UrlError::Address),
    ("https://[::1]:PORT/", UrlError::Address),
    ("https://[0:0:0:0:0:0:0:1]:PORT/", UrlError::Address),
    ("https://[::]:PORT/", UrlError::Address),
    ("https://[::ffff:127.0.0.1]:PORT/", UrlError::Address),
    ("https://[::FFFF:7f00:1]:PORT/", UrlError::Address),
    ("https://[::127.0.0.1]:PORT/", UrlError::Address),
    ("https://[64:ff9b::127.0.0.1]:PORT/", UrlError::Address),
    ("https://[64:ff9b:1::a9fe:a9fe]/", UrlError::Address),
    ("https://[2002:7f00:1::]:PORT/", UrlError::Address),
    ("https://[2001:0:7f00:1::]/", UrlError::Address),
    ("https://[fe80::1]:PORT/", UrlError::Address),
    ("https://[fd00:ec2::254]/", UrlError::Address),
    ("https://[ff02::1]:PORT/", UrlError::Address),
    ("http://127.0.0.1:PORT/", UrlError::Address),
    // Names of this host.
    ("https://localhost:PORT/", UrlError::Localhost),
    ("https://LOCALHOST:PORT/", UrlError::Localhost),
    ("https://hooks.localhost:PORT/", UrlError::Localhost),
    ("https://ⓛocalhost:PORT/", UrlError::Localhost),
    ("https://local\u{ad}host:PORT/", UrlError::Localhost),
    ("https://localhost.:PORT/", UrlError::HostName),
    ("https://localhost..:PORT/", UrlError::HostName),
    ("https://.localhost:PORT/", UrlError::HostName),
    ("https://inside.example.:PORT/", UrlError::HostName),
    ("https://a$(id).example:PORT/", UrlError::HostName),
    // Users, fragments and characters that parsers read differently.
    ("https://hooks.example@127.0.0.1:PORT/", UrlError::UserInfo),
    ("https://hooks.example:443@127.0.0.1:PORT/", UrlError::UserInfo),
    ("https://:pass@127.0.0.1:PORT/", UrlError::UserInfo),
    ("https://hooks.example:x@inside.example@127.0.0.1:PORT/", UrlError::UserInfo),
    ("https://@127.0.0.1:PORT/", UrlError::Address),
    ("https://127.0.0.1:PORT#@hooks.example/", UrlError::Fragment),
    ("https://127.0.0.1:PORT?@hooks.example/", UrlError::Address),
    ("https://127.0.0.1:PORT\\@hooks.example/", UrlError::Characters),
    ("https:\\\\127.0.0.1:PORT/", UrlError::Characters),
    (" https://127.0.0.1:PORT/", UrlError::Characters),
    ("https://127.0.0.1:PORT/ ", UrlError::Characters),
    ("ht\ttps://127.0.0.1:PORT/", UrlError::Characters),
    ("https://127.0.0.1\n:PORT/", UrlError::Characters),
    ("https://127.0.0.1:PORT/\r\nHost: hooks.example", UrlError::Characters),
    ("https://hooks.example\0.127.0.0.1:PORT/", UrlError::Characters),
    ("https:///127.0.0.1:PORT/", UrlError::NoHost),
    ("https:127.0.0.1:PORT/", UrlError::NoHost),
    ("https:/127.0.0.1:PORT/", UrlError::NoHost),
    ("https://hooks.example:0/", UrlError::Port),
    // Other schemes.
    ("http://hooks.example:PORT/", UrlError::Scheme),
    ("HtTp://hooks.example:PORT/", UrlError::Scheme),
    ("file:///etc/passwd", UrlError::Scheme),
    ("FILE://127.0.0.1/etc/passwd", UrlError::Scheme),
    ("gopher://127.0.0.1:PORT/_GET%20/", UrlError::Scheme),
    ("ftp://127.0.0.1:PORT/", UrlError::Scheme),
    ("dict://127.0.0.1:PORT/info", UrlError::Scheme),
    ("ldap://127.0.0.1:PORT/", UrlError::Scheme),
    ("ws://127.0.0.1:PORT/", UrlError::Scheme),
    ("unix:/run/docker.sock", UrlError::Scheme),
    ("data:text/plain,hello", UrlError::Scheme),
    ("javascript:alert(1)", UrlError::Scheme),
    ("view-source:https://127.0.0.1:PORT/", UrlError::Scheme),
    ("localhost:PORT", UrlError::Scheme),
];

/// Texts that are no URLs.
const INVALID: &[&str] = &[
    "",
    "127.0.0.1:PORT",
    "//127.0.0.1:PORT/",
    "/orders",
    "https://",
    "https://:PORT/",
    "https://256.256.256.256:PORT/",
    "https://127.0.0.1.1:PORT/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:PORT:80/",
    "https://[::1%25lo]:PORT/",
    "https://[127.0.0.1]:PORT/",
    "https://[::1:PORT/",
    "https://%00127.0.0.1:PORT/",
    "https://%2f127.0.0.1:PORT/",
    "https://xn--/",
    "file://127.0.0.1:PORT/etc/passwd",
];

#[tokio::test]
async fn a_hostile_url_is_refused_without_a_connection() {
    let server = server().await;
    let sender = sender(Policy::default(), PATIENT);
    for (url, expected) in REFUSED {
        let url = url.replace("PORT", &server.address.port().to_string());
        assert_eq!(Policy::default().vet(&url), Err(*expected), "{url:?}");
        let outcome = sender.send(&call(&url)).await;
        let refused = SendError::Never(format!("the URL {expected}"));
        assert_eq!(outcome, Err(refused), "{url:?}");
    }
    for url in INVALID {
        let url = url.replace("PORT", &server.address.port().to_string());
        let vetted = Policy::default().vet(&url);
        assert!(matches!(vetted, Err(UrlError::Invalid(_))), "{url:?}: {vetted:?}");
        let outcome = sender.send(&call(&url)).await;
        assert!(matches!(outcome, Err(SendError::Never(_))), "{url:?}: {outcome:?}");
    }
    assert_eq!(server.connections().await, 0);
}

#[tokio::test]
async fn a_name_that_resolves_inside_is_tried_later_without_a_connection() {
    let server = server().await;
    let port = server.address.port();
    let inside = [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "fd00::1 127.0.0.1 192.168.0.1",
    ];
    for policy in [Policy::default(), DEVELOPMENT] {
        for answer in inside {
            let names = Names::default().with("inside.example", &[answer]);
            let sender = sender_with(policy.clone(), PATIENT, &names, Trust::System);
            let url = format!("https://Inside.Example:{port}/");
            let outcome = sender.send(&call(&url)).await;
            let Err(SendError::Later { reason, after: None }) = outcome else {
                panic!("{answer}: {outcome:?}")
            };
            let expected = "the name inside.example now resolves only to addresses in private";
            assert!(reason.starts_with(expected), "{answer}: {reason}");
            assert_eq!(names.lookups("inside.example"), 1);
        }
    }
    assert_eq!(server.connections().await, 0);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_tried_later() {
    let outcome = sender(Policy::default(), PATIENT).send(&call("https://no.example/")).await;
    let reason = "the name no.example cannot be resolved".to_owned();
    assert_eq!(outcome, Err(SendError::Later { reason, after: None }));
}

#[tokio::test]
async fn localhost_that_resolves_outside_is_not_called_with_http() {
    let names = Names::default().with("localhost", &["8.8.8.8"]);
    let sender = sender_with(DEVELOPMENT, PATIENT, &names, Trust::System);
    let outcome = sender.send(&call("http://localhost/")).await;
    let Err(SendError::Later { reason, after: None }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("the name localhost now resolves only to addresses"), "{reason}");
    assert_eq!(names.lookups("localhost"), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inside = server().await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("http://127.0.0.1:{}/", inside.address.port());
        let answer =
            format!("HTTP/1.1 {status} \r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let redirecting = Server::answering(answer, Then::Serve).await;
        let outcome = sender(DEVELOPMENT, PATIENT).send(&call(&redirecting.url())).await;
        let reason = format!("redirects are not followed: HTTP {status}");
        assert_eq!(outcome, Err(SendError::Later { reason, after: None }));
        assert_eq!(redirecting.requests().len(), 1);
    }
    assert_eq!(inside.connections().await, 0);
}

#[tokio::test]
async fn the_server_of_these_tests_counts_connections() {
    let server = server().await;
    let names = Names::default().with("localhost", &["127.0.0.1"]);
    let sender = sender_with(DEVELOPMENT, PATIENT, &names, Trust::System);
    let port = server.address.port();
    for host in ["127.0.0.1", "0x7f.1", "localhost"] {
        sender.send(&call(&format!("http://{host}:{port}/"))).await.unwrap();
    }
    assert!((1..=3).contains(&server.connections().await));
}
