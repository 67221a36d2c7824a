use std::net::SocketAddr;

use adapter_ordering as ordering;
use application::dead_letters::DeadLetterNumber;
use clap::{Args, Parser, Subcommand};
use consumer::ConsumerArgs;
use domain::CustomerId;
use relay::{OutboxCommand, RelayArgs, naming_adopt};
use runtime::config::{PharmacyTopicArgs, TelemetryArgs};
use runtime::dead_letters::DeadLettersCommand;

use crate::reconcile::ReconcileArgs;

/// The jobs of ordering: the relay publishes the events of the outbox to Kafka, and orders follow the
/// pharmacy. Any number of instances share the work.
///
/// Without a command, it runs until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "order-jobs", version)]
#[command(mut_arg("outbox_adopt_promotion", |arg| naming_adopt(arg, &ordering::OUTBOX)))]
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
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8082", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The consumer group that follows the pharmacy. Instances with the same group share the partitions
    /// of the topic
    #[arg(long, env = "KAFKA_GROUP", default_value = "ordering-group", value_name = "NAME")]
    pub kafka_group: String,
    /// The topic to follow.
    #[command(flatten)]
    pub pharmacy_topic: PharmacyTopicArgs,
    /// The settings of the relay.
    #[command(flatten)]
    pub relay: RelayArgs,
    /// How long rows are kept that are not in the outbox.
    #[command(flatten)]
    pub retention: RetentionArgs,
}

/// How long rows are kept that are not in the outbox.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days to keep idempotency keys: until then, a retry with the same key gets the original answer
    #[arg(long, env = "IDEMPOTENCY_RETENTION_DAYS", default_value_t = 7, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub idempotency_retention_days: u32,

    /// Days to keep dead letters of the pharmacy's topic after they were retried or discarded
    #[arg(long, env = "DEAD_LETTERS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_letters_retention_days: u32,
}

impl Default for RetentionArgs {
    fn default() -> Self {
        Self { idempotency_retention_days: 7, dead_letters_retention_days: 30 }
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
    /// The commands for the outbox.
    #[command(flatten)]
    Outbox(OutboxCommand),
    /// Work with the records of the pharmacy's topic
    #[command(subcommand)]
    Inbox(InboxCommand),
    /// Compare the published orders with the read models of pharmacy-order and notification
    ///
    /// Prints each order that is missing, extra or different in a read model. Succeeds if there is
    /// none.
    Reconcile(ReconcileArgs),
    /// Erase the data of a customer: redact the customer's orders, here and in the pharmacy
    ///
    /// Replaces the name and the texts of people, and drops the notes. Items, statuses and times stay. It
    /// can be repeated. The contacts of the customer are erased with `DELETE /api/customers/{id}` of
    /// notification.
    Erase {
        /// The `customerId` of the orders
        #[arg(long, value_name = "ID")]
        customer: CustomerId,
    },
}

/// The commands for the records of the pharmacy's topic.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum InboxCommand {
    /// List, retry or discard records that could not be consumed
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<DeadLetterNumber>),
}
