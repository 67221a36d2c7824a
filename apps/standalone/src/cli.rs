mod outgoing;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use runtime::config::{
    KafkaArgs, KafkaSecurityArgs, LogFormat, PharmacyTopicArgs, RegistryArgs, Secret, TOPIC,
    TelemetryArgs, seconds,
};
use schemas::SchemasCommand;

pub(crate) use outgoing::OutgoingArgs;

/// The whole product in one process: the four services, and embedded versions of the services they
/// need.
///
/// Without a command it starts everything and runs until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "orders", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) system: SystemArgs,

    /// What to log: a level, or target=level pairs separated by commas
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER", global = true)]
    rust_log: String,

    /// Format of the log
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT", global = true)]
    log_format: LogFormat,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    pub(crate) fn telemetry(&self) -> TelemetryArgs {
        TelemetryArgs { rust_log: self.rust_log.clone(), log_format: self.log_format }
    }
}

/// Settings of the services, and of the servers that they use.
#[derive(Debug, Clone, Args)]
pub(crate) struct SystemArgs {
    /// The URL of a running Postgres, to use instead of the embedded one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub(crate) database_url: Option<Secret>,

    /// A file that contains the URL of Postgres
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE", global = true)]
    pub(crate) database_url_file: Option<PathBuf>,

    /// Brokers of a running Kafka cluster, to use instead of the embedded one
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", value_name = "HOST:PORT,…", global = true)]
    pub(crate) kafka_bootstrap_servers: Option<String>,

    /// The topic with the events of all orders. Subjects in the registry begin with its name
    #[arg(
        long,
        visible_alias = "topic",
        env = "KAFKA_TOPIC",
        default_value = TOPIC,
        value_name = "NAME",
        global = true
    )]
    pub(crate) kafka_topic: String,

    #[command(flatten)]
    pub(crate) pharmacy_topic: PharmacyTopicArgs,

    /// Replicas of the topics in a cluster that is not embedded
    #[arg(
        long,
        env = "KAFKA_TOPIC_REPLICATION",
        default_value_t = 3,
        value_name = "N",
        global = true,
        value_parser = clap::value_parser!(u16).range(1..=100)
    )]
    pub(crate) kafka_topic_replication: u16,

    /// The URL of a running schema registry, to use instead of the embedded one
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    pub(crate) schema_registry_url: Option<String>,

    #[command(flatten)]
    kafka_security: KafkaSecurityArgs,

    #[command(flatten)]
    pub(crate) registry: RegistryArgs,

    #[command(flatten)]
    pub(crate) outgoing: OutgoingArgs,

    /// The folder for the data of the embedded Postgres [default: /var/lib/orders for root, else
    /// ~/.local/share/orders]
    #[arg(long, env = "ORDERS_DATA_DIR", value_name = "FOLDER", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// The address to listen on
    #[arg(
        long,
        env = "ORDERS_HOST",
        default_value = "127.0.0.1",
        value_name = "IP",
        global = true
    )]
    pub(crate) host: IpAddr,

    /// The port of order-api. The registry, order-jobs, pharmacy-order and notification use the
    /// next four ports
    #[arg(long, env = "ORDERS_PORT", default_value_t = 8080, value_name = "PORT", global = true,
          value_parser = clap::value_parser!(u16).range(1..=65531))]
    pub(crate) port: u16,
}

impl SystemArgs {
    /// The topics and the registry of the services, for commands about schemas.
    pub(crate) fn services(&self) -> schemas::Services<'_> {
        schemas::Services {
            topics: schemas::Topics {
                ordering: &self.kafka_topic,
                pharmacy: &self.pharmacy_topic.kafka_pharmacy_topic,
            },
            registry_url: self.schema_registry_url.as_deref(),
            registry: &self.registry,
        }
    }

    /// The settings for a client of this cluster and this registry. The security settings apply
    /// only to external ones: the embedded ones have no authentication.
    pub(crate) fn kafka(&self, servers: &str, registry_url: &str) -> KafkaArgs {
        let topic = self.kafka_topic.as_str();
        let mut args = if self.kafka_bootstrap_servers.is_some() {
            let security = self.kafka_security.clone();
            KafkaArgs { security, ..KafkaArgs::at(servers, registry_url, topic) }
        } else {
            embedded_kafka::client_args(servers, registry_url, topic)
        };
        if self.schema_registry_url.is_some() {
            args.registry = self.registry.clone();
        }
        args
    }
}

/// Commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Place orders, cancel some, let a pharmacist work on them, and check that all services agree,
    /// and that each event, letter and call of a webhook arrives once and in order
    ///
    /// The pharmacist works only on orders of demos.
    Demo(DemoArgs),
    /// Work with the schemas of the published events
    #[command(subcommand)]
    Schemas(SchemasCommand),
}

/// Settings of the demo.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// Number of orders to place. The customers of about a fifth of them ask to cancel
    #[arg(long, default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) orders: u32,

    /// Orders to place per second
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,

    /// Seconds to wait for the next event before it counts as missing
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) patience: Duration,

    /// The seed of all random choices, to repeat those of another run [default: a random one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u32>,
}
