use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs, TelemetryArgs, seconds};
use runtime::dead_letters::DeadLettersCommand;

use crate::reconcile::ReconcileArgs;

/// The relay: carries the events of the outbox to Kafka. Any number of instances share the work.
///
/// Without a command it runs until it is told to stop.
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

/// Everything that can be set.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where Postgres is.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where Kafka and the schema registry are.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8082", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// What the HTTP server takes upon itself.
    #[command(flatten)]
    pub http: HttpArgs,
    /// How the relay works.
    #[command(flatten)]
    pub relay: RelayArgs,
}

/// How the relay works.
#[derive(Debug, Clone, Args)]
pub struct RelayArgs {
    /// Batches this instance works on at the same time
    #[arg(long, env = "RELAY_WORKERS", default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=16))]
    pub relay_workers: u32,

    /// Events in a batch at the most
    #[arg(long, env = "RELAY_BATCH", default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub relay_batch: u32,

    /// Seconds after which the relay looks for work even if nothing woke it
    #[arg(long, env = "RELAY_POLL_SECONDS", default_value = "0.5", value_name = "SECONDS",
          value_parser = seconds)]
    pub relay_poll: Duration,

    /// Replicas of each partition of the topic: it is created with as many, and checked for them
    #[arg(long, env = "KAFKA_TOPIC_REPLICATION", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    pub kafka_topic_replication: u16,

    /// Days a published event stays in the outbox; more than in the topic, so that what the topic
    /// lost can be replayed
    #[arg(long, env = "OUTBOX_RETENTION_DAYS", default_value_t = 8, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub outbox_retention_days: u32,

    /// Days a request with an Idempotency-Key can be repeated and gets the original answer
    #[arg(long, env = "IDEMPOTENCY_RETENTION_DAYS", default_value_t = 7, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub idempotency_retention_days: u32,

    /// Seconds between two checks of the outbox (no sequence behind its cursor, the same Postgres as
    /// before) and of the topic (its partitions and settings); at most 240
    #[arg(long, env = "RELAY_CHECK_SECONDS", default_value = "60", value_name = "SECONDS",
          value_parser = check_seconds)]
    pub relay_check: Duration,

    /// Whether to go on publishing after a standby was promoted, without `order-jobs adopt`
    #[arg(long, env = "OUTBOX_ADOPT_PROMOTION", default_value = "off", value_name = "WHICH")]
    pub outbox_adopt_promotion: AdoptPromotion,
}

/// Reads the time between two checks. librdkafka sees new partitions within five minutes and begins
/// to use them: they must be found before.
fn check_seconds(text: &str) -> Result<Duration, String> {
    let checked = seconds(text)?;
    if checked <= Duration::from_mins(4) { Ok(checked) } else { Err("must be at most 240".into()) }
}

/// Which promotions a relay takes for harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdoptPromotion {
    /// None: an operator adopts each.
    Off,
    /// One of a synchronous standby, which lacks nothing that was committed. The relay cannot tell
    /// whether it was synchronous: say so only if every standby that may be promoted is.
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

/// What an operator can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// List, retry or discard events that Kafka refused
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<domain::EventId>),
    /// Publish again what the outbox retains; consumers drop what they have seen
    Replay {
        /// Only events recorded since this moment, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<domain::Timestamp>,
    },
    /// Compare what was published with what pharmacy and notification know
    ///
    /// Prints each order that is missing, extra or differing in one of them. Succeeds if there is none.
    Reconcile(ReconcileArgs),
    /// Let relays publish again after a check has stopped them: show what is wrong with the outbox,
    /// then put it right
    ///
    /// Sequences are moved past all known positions. Events that may lie unpublished behind a cursor
    /// are published, or published again; consumers drop what they have seen. This Postgres is taken
    /// for the right one.
    Adopt {
        /// Only show what is wrong, and what would be done
        #[arg(long)]
        dry_run: bool,
        /// Publish again what was recorded since this moment, instead of shortly before the last check
        /// that found all well
        #[arg(long, value_name = "TIME")]
        since: Option<domain::Timestamp>,
    },
}
