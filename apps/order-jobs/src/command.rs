use std::process::ExitCode;

use adapter_postgres::Database;
use adapter_postgres::ordering::{self, Adoption, AdoptionError, OutboxDeadLetters, Replay};
use application::StoreError;
use domain::EventId;
use runtime::StartError;

use crate::config::{Command, DeadLettersCommand};
use crate::{Config, reconcile};

/// How many dead letters are listed at the most.
const LISTED: usize = 1000;

/// Carries out what an operator wants; fails if it was not done.
pub(crate) async fn run(config: &Config, command: Command) -> Result<ExitCode, StartError> {
    let database = Database::new(&config.database, "order-jobs command")?;
    ordering::migrate(&database)
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let done = match command {
        Command::Reconcile(args) => {
            // Boxed: the compiler bounds how deep futures may be nested.
            let agree = Box::pin(reconcile::run(config, &database, &args)).await;
            database.close().await;
            return Ok(if agree? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Adopt { dry_run, since } => {
            let adopted = adopt(&Adoption::new(&database, since), dry_run).await;
            database.close().await;
            return adopted
                .map(|()| ExitCode::SUCCESS)
                .map_err(|error| StartError::other("the outbox is not adopted", error));
        }
        Command::DeadLetters(command) => {
            dead_letters(&OutboxDeadLetters::new(&database), command).await
        }
        Command::Replay { since } => Replay::new(&database).rewind(since).await.map(|positions| {
            println!("{positions} positions are due again; running relays publish them now");
            true
        }),
    };
    database.close().await;
    let done = done.map_err(|error| StartError::other("the command was not carried out", error))?;
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn adopt(adoption: &Adoption, dry_run: bool) -> Result<(), AdoptionError> {
    let report = if dry_run { adoption.look().await? } else { adoption.adopt().await? };
    println!("{report}");
    if report.found_something() {
        println!(
            "{}\nOrders that the topic has and this database has not are named by \
             `order-jobs reconcile`.",
            if dry_run {
                "Nothing is changed. `order-jobs adopt` gives these events new positions, moves \
                 sequences past all positions, and lets relays publish."
            } else {
                "These events have new positions, the sequences are past all positions, and \
                 running relays go on within seconds."
            }
        );
    }
    Ok(())
}

async fn dead_letters(
    letters: &OutboxDeadLetters,
    command: DeadLettersCommand,
) -> Result<bool, StoreError> {
    match command {
        DeadLettersCommand::List => {
            let waiting = letters.waiting(LISTED).await?;
            for letter in &waiting {
                println!(
                    "{}  {}  {} of order {} at version {}: {}",
                    letter.event_id,
                    letter.died_at,
                    letter.event_type,
                    letter.order_id,
                    letter.order_version,
                    // It may quote foreign data, which are not to steer a terminal.
                    letter.reason.escape_debug()
                );
            }
            if waiting.is_empty() {
                println!("no event waits for a decision");
            }
            Ok(true)
        }
        DeadLettersCommand::Retry { events, all } => {
            let waiting = if all { letters.waiting(usize::MAX).await? } else { Vec::new() };
            let waiting = waiting.into_iter().map(|letter| letter.event_id);
            let mut all_done = true;
            for event in events.into_iter().chain(waiting) {
                all_done &= told(event, letters.retry(event).await?, "due again");
            }
            Ok(all_done)
        }
        DeadLettersCommand::Discard { events } => {
            let mut all_done = true;
            for event in events {
                all_done &= told(event, letters.discard(event).await?, "given up");
            }
            Ok(all_done)
        }
    }
}

/// Tells what became of a letter, and whether it was done.
fn told(event: EventId, done: bool, what: &str) -> bool {
    println!("{event}: {}", if done { what } else { "no such dead letter" });
    done
}
