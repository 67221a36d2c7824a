use std::net::SocketAddr;

use adapter_pharmacy as pharmacy;
use clap::{Args, Parser, Subcommand};
use consumer::ConsumerArgs;
use relay::{OutboxCommand, RelayArgs, naming_adopt};
use runtime::config::{PharmacyTopicArgs, TelemetryArgs};

/// The pharmacy: receives all orders, lets pharmacists work on them, and publishes what they do.
///
/// Without a command, it runs until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "pharmacy-order", version)]
#[command(mut_arg("outbox_adopt_promotion", |arg| naming_adopt(arg, &pharmacy::OUTBOX)))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) config: Config,

    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// All settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The settings that all consumers have.
    #[command(flatten)]
    pub consumer: ConsumerArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8083", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The consumer group. Instances with the same group share the partitions of the topic
    #[arg(long, env = "KAFKA_GROUP", default_value = "pharmacy-order-group", value_name = "NAME")]
    pub kafka_group: String,
    /// The topic to publish to.
    #[command(flatten)]
    pub pharmacy_topic: PharmacyTopicArgs,
    /// The settings of the relay.
    #[command(flatten)]
    pub relay: RelayArgs,
    /// How long rows are kept.
    #[command(flatten)]
    pub retention: RetentionArgs,
}

/// The commands for operators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// The commands that all consumers have.
    #[command(flatten)]
    Consumer(consumer::Command),
    /// Recover the work on orders from the pharmacy's own topic, after its database was lost
    ///
    /// Changes only orders whose events are missing. Publishes nothing. Run it before the service starts
    /// again, so that no request to cancel is answered a second time.
    Recover,
    /// Work with the outbox: the events that the pharmacy publishes
    #[command(subcommand)]
    Outbox(OutboxCommand),
}

/// How long rows are kept that are not in the outbox.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days to keep dead letters after they were retried or discarded
    #[arg(long, env = "DEAD_LETTERS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_letters_retention_days: u32,
}

impl Default for RetentionArgs {
    fn default() -> Self {
        Self { dead_letters_retention_days: 30 }
    }
}
