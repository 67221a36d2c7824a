use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::StoreError;
use runtime::{Backoff, Check, Outage, StartError, one_line};

use super::server_check::{self, UnusableServer};
use super::{Database, MigrateError, PgError, TablesError};

/// The waits between attempts to reach the database.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));

/// Whether a context's tables are up to date.
///
/// A program also starts while the database is down. Until the migrations are done, its work waits
/// and its API answers that it is unavailable. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct MigrationGate {
    up_to_date: Arc<AtomicBool>,
}

/// The tables were used before they were up to date.
#[derive(Debug, thiserror::Error)]
#[error("the tables are not migrated yet")]
struct NotUpToDate;

/// Why a database cannot be used now.
#[derive(Debug, thiserror::Error)]
enum NotUsable {
    #[error(transparent)]
    Server(#[from] UnusableServer),
    #[error(transparent)]
    Unreachable(#[from] PgError),
    #[error(transparent)]
    Migration(#[from] MigrateError),
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl NotUsable {
    /// Whether another attempt may succeed.
    fn is_passing(&self) -> bool {
        match self {
            Self::Server(_) => false,
            Self::Unreachable(error) => error.is_passing(),
            Self::Migration(error) => error.is_unavailable(),
            // Somebody else runs the migrations.
            Self::Tables(_) => true,
        }
    }
}

/// Checks the server once, even if the tables need several attempts.
async fn attempt(database: &Database, server_is_usable: &mut bool) -> Result<(), NotUsable> {
    if !*server_is_usable {
        if let Some(unusable) = server_check::check(database.options()).await? {
            return Err(unusable.into());
        }
        *server_is_usable = true;
    }
    if database.migrates() {
        database.migrate().await?;
    } else {
        database.check_tables().await?;
    }
    Ok(())
}

impl MigrationGate {
    /// Waits until the database can be reached and its tables are up to date. Runs the pending migrations,
    /// unless the settings leave this to the command `migrate`.
    ///
    /// # Errors
    /// When the database answers, but cannot be used. A retry would not help.
    pub async fn prepare(&self, database: &Database) -> Result<(), StartError> {
        let mut backoff = BACKOFF;
        let outage = Outage::of("the database");
        let mut server_is_usable = false;
        loop {
            match attempt(database, &mut server_is_usable).await {
                Ok(()) => break,
                Err(error) if error.is_passing() => outage.report_failure(&one_line(&error)),
                Err(error) => return Err(StartError::other("cannot use the database", error)),
            }
            tokio::time::sleep(backoff.after_failure()).await;
        }
        outage.report_success();
        database.open_sessions().await;
        self.up_to_date.store(true, Ordering::Release);
        Ok(())
    }

    /// Checks that the tables can be used.
    ///
    /// # Errors
    /// When they are not up to date yet. A retry may succeed.
    pub fn ready(&self) -> Result<(), StoreError> {
        if self.up_to_date.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(StoreError::Unavailable(Box::new(NotUpToDate)))
        }
    }

    /// The readiness check: the database answers, and the tables are up to date.
    #[must_use]
    pub fn check(&self, database: &Database) -> Check {
        let (gate, database) = (self.clone(), database.clone());
        Check::new("postgres", move || {
            let (gate, database) = (gate.clone(), database.clone());
            async move {
                database.ping().await?;
                gate.ready().map_err(|error| one_line(&error))
            }
        })
    }
}
