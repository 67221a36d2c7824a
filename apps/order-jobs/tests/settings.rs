//! Misshapen settings: the program ends at once with one line that names a variable and never quotes a
//! secret.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// The program ends within some 50 ms, unless the machine is busy.
const LIMIT: Duration = Duration::from_secs(5);

const MARKER: &str = "hunter2";

/// Variables whose value may contain a secret, with a valid value.
const SECRETS: &[(&str, &str)] = &[
    ("DATABASE_URL", "postgres://ada:pass@localhost:5432/orders?sslmode=require"),
    ("SCHEMA_REGISTRY_URL", "https://registry.example:8081/apis/ccompat/v7"),
    ("SCHEMA_REGISTRY_PASSWORD", "pass"),
    ("KAFKA_SASL_PASSWORD", "pass"),
    ("KAFKA_SSL_KEY_PASSWORD", "pass"),
    ("KAFKA_PROPERTIES", "client.rack=a,sasl.oauthbearer.config=principal"),
];

/// The other variables, with a valid value.
const OTHERS: &[(&str, &str)] = &[
    ("DATABASE_URL_FILE", "/nowhere"),
    ("DATABASE_MAX_CONNECTIONS", "10"),
    ("MIGRATE", "off"),
    ("KAFKA_BOOTSTRAP_SERVERS", "localhost:19092,localhost:19093"),
    ("KAFKA_TOPIC", "order-created-topic"),
    ("KAFKA_TOPIC_REPLICATION", "3"),
    ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl"),
    ("KAFKA_SASL_MECHANISM", "PLAIN"),
    ("KAFKA_SASL_USERNAME", "ada"),
    ("KAFKA_SSL_CA_LOCATION", "/nowhere/ca.pem"),
    ("SCHEMA_REGISTRY_USERNAME", "ada"),
    ("SCHEMA_REGISTRY_CA_LOCATION", "/nowhere/ca.pem"),
    ("RELAY_WORKERS", "4"),
    ("RELAY_BATCH", "1000"),
    ("RELAY_POLL_SECONDS", "0.5"),
    ("RELAY_CHECK_SECONDS", "60"),
    ("OUTBOX_ADOPT_PROMOTION", "off"),
    ("OUTBOX_RETENTION_DAYS", "8"),
    ("HTTP_MAX_CONNECTIONS", "512"),
    ("HTTP_MAX_IN_FLIGHT", "100"),
    ("LOG_FORMAT", "text"),
];

/// What is inserted into a valid value.
const PIECES: &[&str] =
    &["", "?", "@", "://", ":", "/", "=", "&", ",", " ", "%", "#", "ä", "\n", "[", "5"];

/// A valid value with some changes: a piece is inserted, replaces a character, or a character is removed.
fn misshapen(valid: &'static str, marker: &'static str) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), select(PIECES), any::<bool>());
    (vec(change, 0..6), any::<Index>()).prop_map(move |(changes, at)| {
        let mut text: Vec<char> = valid.chars().collect();
        for (at, piece, replaces) in changes {
            let at = at.index(text.len() + 1);
            let until = (at + usize::from(replaces)).min(text.len());
            text.splice(at..until, piece.chars());
        }
        let at = at.index(text.len() + 1);
        text.splice(at..at, marker.chars());
        text.into_iter().collect()
    })
}

fn settings() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let secret = select(SECRETS)
        .prop_flat_map(|(name, valid)| misshapen(valid, MARKER).prop_map(move |text| (name, text)));
    let other = select(OTHERS)
        .prop_flat_map(|(name, valid)| misshapen(valid, "").prop_map(move |text| (name, text)));
    prop_oneof![vec(secret, 1..3), vec(other, 1..3)]
}

/// Runs the program on an address that is in use, so that it also ends if the settings are valid.
fn run(settings: &[(&str, String)], http_addr: &str) -> (Output, Duration) {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_order-jobs"))
        .env_clear()
        .env("HTTP_ADDR", http_addr)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    (output, start.elapsed())
}

fn variables() -> Vec<&'static str> {
    let names = SECRETS.iter().chain(OTHERS).map(|(name, _)| *name);
    names.chain(["HTTP_ADDR", "KAFKA_SASL_PASSWORD_FILE", "KAFKA_SSL_KEY_LOCATION"]).collect()
}

#[test]
fn a_misshapen_setting_ends_the_program_with_one_line_without_a_secret() {
    let in_use = TcpListener::bind("127.0.0.1:0").unwrap();
    let http_addr = in_use.local_addr().unwrap().to_string();
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let reported = Cell::new(0);
    TestRunner::new(config)
        .run(&settings(), |settings| {
            let (output, took) = run(&settings, &http_addr);
            let error = String::from_utf8(output.stderr).unwrap();
            prop_assert_eq!(output.status.code(), Some(1), "{}", error);
            prop_assert!(took < LIMIT, "{:?}", took);
            prop_assert_eq!(error.lines().count(), 1, "{}", error);
            prop_assert!(error.starts_with("order-jobs: "), "{}", error);
            prop_assert!(!error.contains(MARKER), "{}", error);
            let named = variables().iter().any(|name| error.contains(name));
            prop_assert!(named, "{}", error);
            reported.set(reported.get() + u32::from(!error.contains("HTTP_ADDR")));
            Ok(())
        })
        .unwrap();
    assert!(reported.get() > 250, "only {} of the settings were wrong", reported.get());
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let in_use = TcpListener::bind("127.0.0.1:0").unwrap();
    let http_addr = in_use.local_addr().unwrap().to_string();
    let empty: Vec<(&str, String)> =
        SECRETS.iter().chain(OTHERS).map(|(name, _)| (*name, String::new())).collect();
    let (output, _) = run(&empty, &http_addr);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("set HTTP_ADDR to another address"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
