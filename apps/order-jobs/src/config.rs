use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs, TelemetryArgs, seconds};
use runtime::dead_letters::DeadLettersCommand;

use crate::reconcile::ReconcileArgs;

/// The relay: publishes the events of the outbox to Kafka. Any number of instances share the work.
///
/// Without a command, it runs until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "order-jobs", version)]
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
    /// How to connect to Postgres.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How to connect to Kafka and the schema registry.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8082", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The limits of the HTTP server.
    #[command(flatten)]
    pub http: HttpArgs,
    /// The settings of the relay.
    #[command(flatten)]
    pub relay: RelayArgs,
}

/// The settings of the relay.
#[derive(Debug, Clone, Args)]
pub struct RelayArgs {
    /// Number of batches that this instance processes concurrently
    #[arg(long, env = "RELAY_WORKERS", default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=16))]
    pub relay_workers: u32,

    /// Maximum number of events in a batch
    #[arg(long, env = "RELAY_BATCH", default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub relay_batch: u32,

    /// Seconds between two polls of the outbox. Notifications of new events usually come earlier
    #[arg(long, env = "RELAY_POLL_SECONDS", default_value = "0.5", value_name = "SECONDS",
          value_parser = seconds)]
    pub relay_poll: Duration,

    /// Replicas of each partition of the topic, used to create the topic and to check it
    #[arg(long, env = "KAFKA_TOPIC_REPLICATION", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    pub kafka_topic_replication: u16,

    /// Days to keep published events in the outbox. Must be more than the retention of the topic, so
    /// that events that the topic has lost can be replayed. At most 365: each day is a partition that
    /// each claim has to read
    #[arg(long, env = "OUTBOX_RETENTION_DAYS", default_value_t = 8, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub outbox_retention_days: u32,

    /// Days to keep idempotency keys: until then, a retry with the same key gets the original answer
    #[arg(long, env = "IDEMPOTENCY_RETENTION_DAYS", default_value_t = 7, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub idempotency_retention_days: u32,

    /// Seconds between two checks of the outbox (its sequences, and that Postgres is the same server)
    /// and of the topic (its partitions and settings); at most 240
    #[arg(long, env = "RELAY_CHECK_SECONDS", default_value = "60", value_name = "SECONDS",
          value_parser = check_seconds)]
    pub relay_check: Duration,

    /// Whether to continue publishing after the promotion of a standby without `order-jobs adopt`
    #[arg(long, env = "OUTBOX_ADOPT_PROMOTION", default_value = "off", value_name = "WHEN")]
    pub outbox_adopt_promotion: AdoptPromotion,
}

/// Parses the time between two checks. librdkafka finds new partitions within five minutes and starts
/// to use them, so a check must find them earlier.
fn check_seconds(text: &str) -> Result<Duration, String> {
    let checked = seconds(text)?;
    if checked <= Duration::from_mins(4) {
        Ok(checked)
    } else {
        Err("it must be at most 240".into())
    }
}

/// The promotions that a relay accepts without an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdoptPromotion {
    /// Never: an operator must run `order-jobs adopt` after each promotion.
    Off,
    /// After the promotion of a synchronous standby, which has all committed data. The relay cannot
    /// check this: use it only if every standby that may be promoted is synchronous.
    Synchronous,
}

impl Default for RelayArgs {
    fn default() -> Self {
        Self {
            relay_workers: 4,
            relay_batch: 1000,
            relay_poll: Duration::from_millis(500),
            kafka_topic_replication: 3,
            outbox_retention_days: 8,
            idempotency_retention_days: 7,
            relay_check: Duration::from_mins(1),
            outbox_adopt_promotion: AdoptPromotion::Off,
        }
    }
}

/// The commands for operators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Create the tables of ordering, or bring them up to date
    Migrate {
        /// Only print the migrations that would be run
        #[arg(long)]
        dry_run: bool,
    },
    /// List, retry or discard events that Kafka refused
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<domain::EventId>),
    /// Publish the events in the outbox again; consumers skip those that they have already applied
    Replay {
        /// Only events recorded since this time, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<domain::Timestamp>,
    },
    /// Compare the published orders with the read models of pharmacy-order and notification
    ///
    /// Prints each order that is missing, extra or different in a read model. Succeeds if there is
    /// none.
    Reconcile(ReconcileArgs),
    /// Repair the outbox after a check has stopped publishing, and let relays publish again
    ///
    /// Prints what is wrong. Moves sequences past all known positions. Publishes the events that a
    /// cursor may have passed without publishing them; some are published a second time, and
    /// consumers skip them. From then on, relays accept this Postgres server.
    Adopt {
        /// Only show what is wrong and what would be changed
        #[arg(long)]
        dry_run: bool,
        /// Publish again the events recorded since this time [default: shortly before the last check
        /// that found no problem]
        #[arg(long, value_name = "TIME")]
        since: Option<domain::Timestamp>,
    },
}
