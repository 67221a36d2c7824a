//! A call, and a sender for tests.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::notification::{WebhookCall, WebhookSecrets};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::client::{Limits, Trust};
use crate::resolver::Lookup;
use crate::{HttpWebhookSender, Policy, SealedSecrets, SecretsKey, parse_networks};

/// Permits this host.
pub(crate) const DEVELOPMENT: Policy =
    Policy { allow_http_loopback: true, allowed_networks: Vec::new() };

/// Permits what the default permits, and these networks.
pub(crate) fn opening(networks: &str) -> Policy {
    Policy { allowed_networks: parse_networks(networks).unwrap(), ..Policy::default() }
}

/// Limits that a test does not reach.
pub(crate) const PATIENT: Limits = Limits {
    answer: Duration::from_mins(1),
    connection: Duration::from_mins(1),
    body: Duration::from_mins(1),
};

/// Limits that a test reaches.
pub(crate) const SHORT: Limits = Limits {
    answer: Duration::from_millis(100),
    connection: Duration::from_millis(100),
    body: Duration::from_millis(100),
};

pub(crate) fn secrets() -> SealedSecrets {
    let key = STANDARD.encode([7; 32]);
    SealedSecrets::new(Some(SecretsKey::parse(key.as_bytes()).unwrap()))
}

/// A call of this webhook.
pub(crate) fn call(url: &str) -> WebhookCall {
    WebhookCall {
        id: "0193-0001".to_owned(),
        at: "2026-11-27T12:00:00Z".parse().unwrap(),
        url: url.to_owned(),
        secrets: vec![secrets().generate().unwrap().1],
        body: r#"{"type":"order.ready"}"#.to_owned(),
    }
}

/// A sender that knows no names.
pub(crate) fn sender(policy: Policy, limits: Limits) -> HttpWebhookSender {
    sender_with(policy, limits, &Names::default(), Trust::System)
}

pub(crate) fn sender_with(
    policy: Policy,
    limits: Limits,
    names: &Names,
    trust: Trust,
) -> HttpWebhookSender {
    HttpWebhookSender::with(policy, secrets(), names.clone(), limits, trust).unwrap()
}

/// A name service: each name has answers, one per lookup. The last answer repeats.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<Mutex<HashMap<String, Answers>>>);

#[derive(Debug, Default)]
struct Answers {
    answers: Vec<Vec<IpAddr>>,
    lookups: usize,
}

impl Names {
    /// The same, with this name. An answer is a list of addresses separated by spaces.
    pub(crate) fn with(self, name: &str, answers: &[&str]) -> Self {
        let addresses = |answer: &&str| {
            answer.split_whitespace().map(|address| address.parse().unwrap()).collect()
        };
        let answers = Answers { answers: answers.iter().map(addresses).collect(), lookups: 0 };
        self.0.lock().unwrap().insert(name.to_owned(), answers);
        self
    }

    /// How often the name was looked up.
    pub(crate) fn lookups(&self, name: &str) -> usize {
        self.0.lock().unwrap()[name].lookups
    }
}

impl Lookup for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self.0.lock().unwrap();
        let entry = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let index = entry.lookups.min(entry.answers.len() - 1);
        entry.lookups += 1;
        Ok(entry.answers[index].clone())
    }
}
