use std::io::stdout;

use adapter_outbox::{Adoption, AdoptionError, ContextOutbox, PgOutboxDeadLetters, PgReplay};
use adapter_postgres::Database;
use application::dead_letters::PublishAgain;
use application::relay::Replay;
use clap::Subcommand;
use domain::{EventId, Timestamp};
use runtime::StartError;
use runtime::dead_letters::{self, DeadLettersCommand};

/// The commands for operators of an outbox.
#[derive(Debug, Clone, Subcommand)]
pub enum OutboxCommand {
    /// List, retry or discard events that Kafka refused
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<EventId>),
    /// Publish the events in the outbox again; consumers skip those that they have already applied
    Replay {
        /// Only events recorded since this time, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
    },
    /// Repair the outbox after a check has stopped publishing, and let relays publish again
    ///
    /// Prints what is wrong. Moves sequences past all known positions. Publishes the events that a
    /// cursor may have passed without publishing them; some are published a second time, and
    /// consumers skip them. From then on, relays accept this Postgres server.
    // Last in the help, also after commands that a program adds.
    #[command(display_order = 100)]
    Adopt {
        /// Only show what is wrong and what would be changed
        #[arg(long)]
        dry_run: bool,
        /// Publish again the events recorded since this time [default: shortly before the last check
        /// that found no problem]
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
    },
}

/// Executes a command for operators. Returns whether all of it was done.
///
/// The tables are checked and not migrated, so that no command changes tables.
///
/// # Errors
/// When the database cannot be used, or the command fails.
pub async fn run_outbox_command(
    command: OutboxCommand,
    database: &Database,
    outbox: &'static ContextOutbox,
) -> Result<bool, StartError> {
    database.check_tables().await?;
    match command {
        OutboxCommand::DeadLetters(command) => {
            let letters = PgOutboxDeadLetters::new(database);
            dead_letters::run(command, &letters, &PublishAgain, &mut stdout())
                .await
                .map_err(command_failed)
        }
        OutboxCommand::Replay { since } => {
            let positions = PgReplay::new(database).rewind(since).await.map_err(command_failed)?;
            println!("{positions} positions are due again; running relays publish their events");
            Ok(true)
        }
        OutboxCommand::Adopt { dry_run, since } => {
            adopt(&Adoption::new(database, outbox, since), outbox, dry_run)
                .await
                .map(|()| true)
                .map_err(|error| StartError::other("cannot adopt the outbox", error))
        }
    }
}

fn command_failed(error: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::other("the command failed", error)
}

async fn adopt(
    adoption: &Adoption,
    outbox: &ContextOutbox,
    dry_run: bool,
) -> Result<(), AdoptionError> {
    let report = if dry_run { adoption.preview().await? } else { adoption.adopt().await? };
    println!("{report}");
    if report.found_problems() {
        println!("{}", next_steps(outbox, dry_run));
    }
    Ok(())
}

/// What happens next with an outbox that had problems, and what the operator can do.
fn next_steps(outbox: &ContextOutbox, dry_run: bool) -> String {
    let next = if dry_run {
        format!(
            "Nothing was changed. `{} adopt` will give these events new positions, move the \
             sequences past all positions, and let relays publish.",
            outbox.command
        )
    } else {
        "These events have new positions, the sequences are past all positions, and running relays \
         continue within seconds."
            .to_owned()
    };
    match outbox.reconcile {
        Some(reconcile) => format!(
            "{next}\nTo find orders that are in the topic but not in this database, run \
             `{reconcile}`."
        ),
        None => next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_the_context_are_named() {
        let with = ContextOutbox {
            aggregates: "orders",
            key: "id",
            command: "order-jobs",
            reconcile: Some("order-jobs reconcile"),
        };
        let text = next_steps(&with, true);
        assert!(text.contains("`order-jobs adopt`"), "{text}");
        assert!(text.ends_with("run `order-jobs reconcile`."), "{text}");

        let without = ContextOutbox {
            aggregates: "parcels",
            key: "id",
            command: "shop outbox",
            reconcile: None,
        };
        let text = next_steps(&without, true);
        assert!(text.contains("`shop outbox adopt`") && !text.contains("reconcile"), "{text}");
    }
}
