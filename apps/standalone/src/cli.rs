use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use runtime::config::{
    KafkaArgs, KafkaSecurityArgs, LogFormat, RegistryArgs, Secret, TOPIC, TelemetryArgs, seconds,
};
use schemas::SchemasCommand;

/// Orders, all of it in one process: the four services and whatever they need that is not there.
///
/// Without a command it starts everything and runs until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "orders", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) world: WorldArgs,

    /// What to log: a level, or target=level pairs with commas
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER", global = true)]
    rust_log: String,

    /// How to log
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

/// What the services stand on.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorldArgs {
    /// A running Postgres to use instead of an embedded one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", global = true)]
    pub(crate) database_url: Option<Secret>,

    /// A file that holds that URL
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE", global = true)]
    pub(crate) database_url_file: Option<PathBuf>,

    /// A running Kafka cluster to use instead of the embedded one
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", value_name = "HOST:PORT,…", global = true)]
    pub(crate) kafka_bootstrap_servers: Option<String>,

    /// The topic that carries every event of every order; subjects in the registry begin with its name
    #[arg(
        long,
        visible_alias = "topic",
        env = "KAFKA_TOPIC",
        default_value = TOPIC,
        value_name = "NAME",
        global = true
    )]
    pub(crate) kafka_topic: String,

    /// Replicas of the topic in a cluster that is not the embedded one
    #[arg(
        long,
        env = "KAFKA_TOPIC_REPLICATION",
        default_value_t = 3,
        value_name = "N",
        global = true,
        value_parser = clap::value_parser!(u16).range(1..=100)
    )]
    pub(crate) kafka_topic_replication: u16,

    /// A running schema registry to use instead of the embedded one
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

    /// Where the embedded Postgres keeps its data [default: /var/lib/orders for root, else
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

    /// The port of order-api; the registry, order-jobs, pharmacy-order and notification take the
    /// next four
    #[arg(long, env = "ORDERS_PORT", default_value_t = 8080, value_name = "PORT", global = true,
          value_parser = clap::value_parser!(u16).range(1..=65531))]
    pub(crate) port: u16,
}

impl WorldArgs {
    /// What the services use, for commands about schemas.
    pub(crate) fn services(&self) -> schemas::Services<'_> {
        schemas::Services {
            topic: &self.kafka_topic,
            registry_url: self.schema_registry_url.as_deref(),
            registry: &self.registry,
        }
    }

    /// The settings of a client of this cluster and this registry. What it takes to be let in is
    /// said of somebody else's; the embedded ones let this computer in.
    pub(crate) fn kafka(&self, servers: &str, registry_url: &str) -> KafkaArgs {
        let mut args = KafkaArgs::at(servers, registry_url, self.kafka_topic.as_str());
        if self.kafka_bootstrap_servers.is_some() {
            args.security = self.kafka_security.clone();
        } else {
            // The embedded brokers answer an empty fetch only after the whole wait.
            args.kafka_fetch_wait_ms = 20;
        }
        if self.schema_registry_url.is_some() {
            args.registry = self.registry.clone();
        }
        args
    }
}

/// What else there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Place orders through the API and check that each arrives everywhere, once and in order
    Demo(DemoArgs),
    /// Work with the schemas of the published events
    #[command(subcommand)]
    Schemas(SchemasCommand),
}

/// How much the demo does.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// How many orders to place; every tenth is cancelled again
    #[arg(long, default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) orders: u32,

    /// How many orders to place in a second
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,

    /// How many seconds to wait for the next event to arrive before calling it missing
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) patience: Duration,
}
