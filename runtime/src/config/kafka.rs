use std::path::PathBuf;

use clap::Args;

use super::Secret;

/// The default name of the topic of ordering.
pub const TOPIC: &str = "order-created-topic";

/// The default name of the topic of the pharmacy.
pub const PHARMACY_TOPIC: &str = "pharmacy-order-topic";

/// Settings of Kafka and the schema registry.
#[derive(Debug, Clone, Args)]
pub struct KafkaArgs {
    /// Addresses of brokers, as host:port separated by commas
    #[arg(
        long,
        env = "KAFKA_BOOTSTRAP_SERVERS",
        default_value = "localhost:19092,localhost:19093,localhost:19094",
        value_name = "HOST:PORT,…"
    )]
    pub kafka_bootstrap_servers: String,

    /// Security settings of the brokers.
    #[command(flatten)]
    pub security: KafkaSecurityArgs,

    /// The topic with the events of all orders
    #[arg(long, env = "KAFKA_TOPIC", default_value = TOPIC, value_name = "NAME",
          value_parser = topic_name)]
    pub kafka_topic: String,

    /// Milliseconds that a broker may wait for new records before it answers a fetch
    #[arg(long, env = "KAFKA_FETCH_WAIT_MS", default_value_t = 500, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub kafka_fetch_wait_ms: u32,

    /// The URL of the schema registry (Confluent's API)
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        hide_env_values = true,
        default_value = "http://localhost:8081",
        value_name = "URL"
    )]
    pub schema_registry_url: String,

    /// Security settings of the schema registry.
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// The topic of the pharmacy's events.
#[derive(Debug, Clone, Args)]
pub struct PharmacyTopicArgs {
    /// The topic with the events of the pharmacy's work on orders
    #[arg(long, env = "KAFKA_PHARMACY_TOPIC", default_value = PHARMACY_TOPIC, value_name = "NAME",
          value_parser = topic_name, global = true)]
    pub kafka_pharmacy_topic: String,
}

impl Default for PharmacyTopicArgs {
    fn default() -> Self {
        Self { kafka_pharmacy_topic: PHARMACY_TOPIC.to_owned() }
    }
}

/// Parses the name of a topic. Kafka's rule: `org.apache.kafka.common.internals.Topic`.
fn topic_name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_valid = (1..=249).contains(&text.len())
        && text.chars().all(is_allowed)
        && !matches!(text, "." | "..");
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err("it must be the name of a topic: 1 to 249 of A-Z a-z 0-9 . _ -, but not . or ..".into())
    }
}

impl KafkaArgs {
    /// Settings for a cluster and a registry without authentication.
    #[must_use]
    pub fn at(
        servers: impl Into<String>,
        registry_url: impl Into<String>,
        topic: impl Into<String>,
    ) -> Self {
        Self {
            kafka_bootstrap_servers: servers.into(),
            security: KafkaSecurityArgs::default(),
            kafka_topic: topic.into(),
            kafka_fetch_wait_ms: 500,
            schema_registry_url: registry_url.into(),
            registry: RegistryArgs::default(),
        }
    }
}

/// Security settings of the brokers, and further properties of librdkafka.
#[derive(Debug, Clone, Default, Args)]
pub struct KafkaSecurityArgs {
    /// Protocol for the brokers. All except plaintext need a program built with the feature `tls`
    /// [default: plaintext]
    #[arg(
        long,
        env = "KAFKA_SECURITY_PROTOCOL",
        value_name = "plaintext|ssl|sasl_plaintext|sasl_ssl"
    )]
    pub kafka_security_protocol: Option<String>,

    /// Mechanism to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
    #[arg(long, env = "KAFKA_SASL_MECHANISM", value_name = "MECHANISM")]
    pub kafka_sasl_mechanism: Option<String>,

    /// User name to log in with
    #[arg(long, env = "KAFKA_SASL_USERNAME", value_name = "NAME")]
    pub kafka_sasl_username: Option<String>,

    /// Password to log in with
    #[arg(long, env = "KAFKA_SASL_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_sasl_password: Option<Secret>,

    /// A file that contains the password to log in with
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE", value_name = "FILE")]
    pub kafka_sasl_password_file: Option<PathBuf>,

    /// Certificate authorities to trust for the brokers, as PEM [default: those that the system
    /// trusts]
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", value_name = "FILE")]
    pub kafka_ssl_ca_location: Option<String>,

    /// Client certificate for the brokers, as PEM
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", value_name = "FILE")]
    pub kafka_ssl_certificate_location: Option<String>,

    /// Private key of the client certificate, as PEM
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", value_name = "FILE")]
    pub kafka_ssl_key_location: Option<String>,

    /// Password of the private key
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_ssl_key_password: Option<Secret>,

    /// A file that contains the password of the private key
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD_FILE", value_name = "FILE")]
    pub kafka_ssl_key_password_file: Option<PathBuf>,

    /// Another property of librdkafka, applied last. Repeat the flag, or separate several by commas
    /// in the variable. Properties that the delivery guarantees depend on are refused
    #[arg(
        long = "kafka-property",
        env = "KAFKA_PROPERTIES",
        hide_env_values = true,
        value_name = "NAME=VALUE"
    )]
    pub kafka_properties: Vec<Secret>,
}

/// Security settings of the schema registry.
#[derive(Debug, Clone, Default, Args)]
pub struct RegistryArgs {
    /// User name to log in to the registry with
    #[arg(long, env = "SCHEMA_REGISTRY_USERNAME", value_name = "NAME")]
    pub schema_registry_username: Option<String>,

    /// Password to log in to the registry with
    #[arg(long, env = "SCHEMA_REGISTRY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub schema_registry_password: Option<Secret>,

    /// A file that contains the password of the registry
    #[arg(long, env = "SCHEMA_REGISTRY_PASSWORD_FILE", value_name = "FILE")]
    pub schema_registry_password_file: Option<PathBuf>,

    /// Certificate authorities to trust for the registry, as PEM [default: those that the system
    /// trusts]
    #[arg(long, env = "SCHEMA_REGISTRY_CA_LOCATION", value_name = "FILE")]
    pub schema_registry_ca_location: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_topic_follows_the_rule_of_kafka() {
        for name in ["a", "order-created-topic", "a.b_C-9", "...", &"a".repeat(249)] {
            assert_eq!(topic_name(name).as_deref(), Ok(name));
        }
        for name in ["", ".", "..", "a b", "a/b", "ä", &"a".repeat(250)] {
            assert!(topic_name(name).is_err(), "{name}");
        }
    }
}
