use application::dead_letters::DeadLetterNumber;
use clap::{Args, Subcommand};
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs};
use runtime::dead_letters::DeadLettersCommand;

/// The settings that all consumers have. Their names and defaults are the same.
#[derive(Debug, Clone, Args)]
pub struct ConsumerArgs {
    /// How to connect to Postgres.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How to connect to Kafka and the schema registry.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// The limits of the HTTP server.
    #[command(flatten)]
    pub http: HttpArgs,
}

/// The commands for operators.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Create the tables of this service, or bring them up to date
    Migrate {
        /// Only print the migrations that would be run
        #[arg(long)]
        dry_run: bool,
    },
    /// List, retry or discard records that could not be consumed
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<DeadLetterNumber>),
}
