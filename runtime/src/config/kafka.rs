use std::path::PathBuf;

use clap::Args;

use super::Secret;

/// The topic, unless another is named.
pub const TOPIC: &str = "order-created-topic";

/// Where Kafka and the schema registry are.
#[derive(Debug, Clone, Args)]
pub struct KafkaArgs {
    /// The brokers to ask for the cluster: host:port, several with commas
    #[arg(
        long,
        env = "KAFKA_BOOTSTRAP_SERVERS",
        default_value = "localhost:19092,localhost:19093,localhost:19094",
        value_name = "HOST:PORT,…"
    )]
    pub kafka_bootstrap_servers: String,

    /// How to be let in by the brokers.
    #[command(flatten)]
    pub security: KafkaSecurityArgs,

    /// The topic that carries every event of every order
    #[arg(long, env = "KAFKA_TOPIC", default_value = TOPIC, value_name = "NAME")]
    pub kafka_topic: String,

    /// Milliseconds a broker may hold a fetch back while it has no new records
    #[arg(long, env = "KAFKA_FETCH_WAIT_MS", default_value_t = 100, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub kafka_fetch_wait_ms: u32,

    /// The schema registry to use (Confluent's API)
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        hide_env_values = true,
        default_value = "http://localhost:8081",
        value_name = "URL"
    )]
    pub schema_registry_url: String,

    /// How to be let in by the registry.
    #[command(flatten)]
    pub registry: RegistryArgs,
}

impl KafkaArgs {
    /// A cluster and a registry that let everybody in.
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
            kafka_fetch_wait_ms: 100,
            schema_registry_url: registry_url.into(),
            registry: RegistryArgs::default(),
        }
    }
}

/// How to be let in by the brokers, and what else an operator tells librdkafka.
#[derive(Debug, Clone, Default, Args)]
pub struct KafkaSecurityArgs {
    /// How to talk to the brokers; all but plaintext need a program built with the feature `tls`
    /// [default: plaintext]
    #[arg(
        long,
        env = "KAFKA_SECURITY_PROTOCOL",
        value_name = "plaintext|ssl|sasl_plaintext|sasl_ssl"
    )]
    pub kafka_security_protocol: Option<String>,

    /// How to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
    #[arg(long, env = "KAFKA_SASL_MECHANISM", value_name = "MECHANISM")]
    pub kafka_sasl_mechanism: Option<String>,

    /// Who to log in as
    #[arg(long, env = "KAFKA_SASL_USERNAME", value_name = "NAME")]
    pub kafka_sasl_username: Option<String>,

    /// The password to log in with
    #[arg(long, env = "KAFKA_SASL_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_sasl_password: Option<Secret>,

    /// A file that holds that password
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE", value_name = "FILE")]
    pub kafka_sasl_password_file: Option<PathBuf>,

    /// The authorities a broker's certificate must come from, as PEM [default: those the system
    /// trusts]
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", value_name = "FILE")]
    pub kafka_ssl_ca_location: Option<String>,

    /// The certificate to show to the brokers, as PEM
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", value_name = "FILE")]
    pub kafka_ssl_certificate_location: Option<String>,

    /// The private key of that certificate, as PEM
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", value_name = "FILE")]
    pub kafka_ssl_key_location: Option<String>,

    /// The password of that key
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_ssl_key_password: Option<Secret>,

    /// A file that holds that password
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD_FILE", value_name = "FILE")]
    pub kafka_ssl_key_password_file: Option<PathBuf>,

    /// Any other property of librdkafka, applied last; repeat the flag, or put several into the
    /// variable with commas. Those on which the promises rest are refused
    #[arg(
        long = "kafka-property",
        env = "KAFKA_PROPERTIES",
        hide_env_values = true,
        value_name = "NAME=VALUE"
    )]
    pub kafka_properties: Vec<Secret>,
}

/// How to be let in by the schema registry.
#[derive(Debug, Clone, Default, Args)]
pub struct RegistryArgs {
    /// Who to log in to the registry as
    #[arg(long, env = "SCHEMA_REGISTRY_USERNAME", value_name = "NAME")]
    pub schema_registry_username: Option<String>,

    /// The password to log in to the registry with
    #[arg(long, env = "SCHEMA_REGISTRY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub schema_registry_password: Option<Secret>,

    /// A file that holds that password
    #[arg(long, env = "SCHEMA_REGISTRY_PASSWORD_FILE", value_name = "FILE")]
    pub schema_registry_password_file: Option<PathBuf>,

    /// The authorities the registry's certificate must come from, as PEM [default: those the system
    /// trusts]
    #[arg(long, env = "SCHEMA_REGISTRY_CA_LOCATION", value_name = "FILE")]
    pub schema_registry_ca_location: Option<String>,
}
