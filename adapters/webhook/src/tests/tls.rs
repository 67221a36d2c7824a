//! Calls over TLS, and names whose addresses change.

use std::net::SocketAddr;
use std::sync::Arc;

use application::notification::{Answer, SendError, WebhookSender};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Certificate;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::fixture::{DEVELOPMENT, Names, PATIENT, call, opening, sender, sender_with};
use super::server::{Server, Then};
use crate::Policy;
use crate::client::Trust;

const CLOSING: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A server with a certificate for this name, and the certificate.
async fn tls_server(address: SocketAddr, name: &str) -> (Server, Certificate) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(address).await.unwrap();
    let server = Server::start(listener, CLOSING, Then::Close, move |stream| {
        let accepted = acceptor.accept(stream);
        async { accepted.await.ok() }
    });
    (server, Certificate::from_der(cert.der()).unwrap())
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// Permits 127.0.0.1, which stands for an address outside in these tests.
fn policy() -> Policy {
    opening("127.0.0.1/32")
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_called() {
    let (server, certificate) = tls_server(local(0), "hooks.example").await;
    let names = Names::default().with("hooks.example", &["127.0.0.1"]);
    let sender = sender_with(policy(), PATIENT, &names, Trust::Only(certificate));
    let url = format!("https://hooks.example:{}/orders", server.address.port());
    assert_eq!(sender.send(&call(&url)).await, Ok(Answer("HTTP 200".to_owned())));
    assert!(
        server.requests()[0].contains(&format!("host: hooks.example:{}", server.address.port()))
    );
}

#[tokio::test]
async fn a_server_without_a_valid_certificate_gets_no_request() {
    let (server, certificate) = tls_server(local(0), "hooks.example").await;
    let names = Names::default()
        .with("hooks.example", &["127.0.0.1"])
        .with("other.example", &["127.0.0.1"]);
    let of_the_system = sender_with(policy(), PATIENT, &names, Trust::System);
    let only_this = sender_with(policy(), PATIENT, &names, Trust::Only(certificate));
    for (sender, name) in [(of_the_system, "hooks.example"), (only_this, "other.example")] {
        let url = format!("https://{name}:{}/orders", server.address.port());
        let outcome = sender.send(&call(&url)).await;
        let Err(SendError::Later { reason, after: None }) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        assert!(reason.starts_with("cannot connect: invalid peer certificate"), "{reason}");
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn without_ca_certificates_https_fails_with_the_reason_and_http_works() {
    let (with_tls, _) = tls_server(local(0), "hooks.example").await;
    let without_tls = Server::start(
        TcpListener::bind(local(0)).await.unwrap(),
        CLOSING,
        Then::Close,
        async |stream: TcpStream| Some(stream),
    );
    let sender = sender_with(DEVELOPMENT, PATIENT, &Names::default(), Trust::Nobody);
    let outcome = sender.send(&call(&format!("https://{}/orders", with_tls.address))).await;
    let reason = "no CA certificates are installed".to_owned();
    assert_eq!(outcome, Err(SendError::Unreachable(reason)));
    assert_eq!(with_tls.requests(), Vec::<String>::new());
    let outcome = sender.send(&call(&format!("http://{}/orders", without_tls.address))).await;
    assert_eq!(outcome, Ok(Answer("HTTP 200".to_owned())));
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let listener = TcpListener::bind(local(0)).await.unwrap();
    let server = Server::start(listener, "", Then::Close, async |mut stream: TcpStream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?;
        Some(stream)
    });
    let url = format!("https://{}/orders", server.address);
    let outcome = sender(policy(), PATIENT).send(&call(&url)).await;
    let Err(SendError::Later { reason, after: None }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("cannot connect: received corrupt message"), "{reason}");
    server.connection_ends().await;
    assert_eq!(server.requests(), Vec::<String>::new());
}

/// An address of this host beside 127.0.0.1. Some systems have only one with IPv4.
async fn inside(port: u16) -> Server {
    for address in ["127.0.0.2", "[::1]"] {
        let address = format!("{address}:{port}");
        if TcpListener::bind(&address).await.is_ok() {
            return Server::on(&address, CLOSING, Then::Close).await;
        }
    }
    panic!("this host has no second loopback address");
}

#[tokio::test]
async fn a_name_is_resolved_once_per_connection_so_that_rebinding_has_no_effect() {
    let (outside, certificate) = tls_server(local(0), "hooks.example").await;
    let port = outside.address.port();
    let inside = inside(port).await;
    let inside_ip = inside.address.ip().to_string();
    let names = Names::default().with("hooks.example", &["127.0.0.1", &inside_ip]);
    let sender = sender_with(policy(), PATIENT, &names, Trust::Only(certificate));
    let url = format!("https://hooks.example:{port}/orders");
    assert_eq!(sender.send(&call(&url)).await, Ok(Answer("HTTP 200".to_owned())));
    assert_eq!(names.lookups("hooks.example"), 1);
    let outcome = sender.send(&call(&url)).await;
    assert!(matches!(outcome, Err(SendError::Later { .. })), "{outcome:?}");
    assert_eq!(names.lookups("hooks.example"), 2);
    assert_eq!(outside.connections().await, 1);
    assert_eq!(inside.connections().await, 0);
}

#[tokio::test]
async fn of_a_name_with_addresses_inside_and_outside_only_those_outside_are_called() {
    let (outside, certificate) = tls_server(local(0), "hooks.example").await;
    let port = outside.address.port();
    let inside = inside(port).await;
    let both = format!("{} 127.0.0.1 10.0.0.1", inside.address.ip());
    let names = Names::default().with("hooks.example", &[&both]);
    let sender = sender_with(policy(), PATIENT, &names, Trust::Only(certificate));
    let url = format!("https://hooks.example:{port}/orders");
    assert_eq!(sender.send(&call(&url)).await, Ok(Answer("HTTP 200".to_owned())));
    assert_eq!(inside.connections().await, 0);
}
