use std::process::ExitCode;

use adapters::StartError;
use adapters::postgres::Database;
use adapters::postgres::ordering::{self, OutboxDeadLetters, Replay};
use application::StoreError;

use crate::Config;
use crate::config::{Command, DeadLettersCommand};

/// How many dead letters are listed at the most.
const LISTED: usize = 1000;

/// Carries out what an operator wants; fails if it was not done.
pub(crate) async fn run(config: &Config, command: Command) -> Result<ExitCode, StartError> {
    let database = Database::new(&config.database, "order-jobs command")?;
    ordering::migrate(&database)
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let done = match command {
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
                    letter.reason
                );
            }
            if waiting.is_empty() {
                println!("no event waits for a decision");
            }
            Ok(true)
        }
        DeadLettersCommand::Retry { event_id } => {
            let done = letters.retry(event_id).await?;
            println!("{event_id}: {}", if done { "due again" } else { "no such dead letter" });
            Ok(done)
        }
        DeadLettersCommand::Discard { event_id } => {
            let done = letters.discard(event_id).await?;
            println!("{event_id}: {}", if done { "given up" } else { "no such dead letter" });
            Ok(done)
        }
    }
}
