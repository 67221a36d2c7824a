use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::StoreError;
use runtime::{Check, Outage, StartError, one_line};

use super::{Database, MigrateError};

/// The first and the longest wait before an unreachable database is tried again.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// Whether a context's tables are up to date.
///
/// A program starts before they are, for the database may be down; until then its work waits and
/// its API answers that it is unavailable. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct MigrationGate {
    up_to_date: Arc<AtomicBool>,
}

/// A use of tables that are not up to date.
#[derive(Debug, thiserror::Error)]
#[error("the tables are not up to date yet")]
struct NotYet;

impl MigrationGate {
    /// Runs a context's `migrate` until it succeeds, however long the database cannot be reached.
    ///
    /// # Errors
    /// When the database answers, but refuses: waiting would not help.
    pub async fn prepare<M, F>(&self, migrate: M) -> Result<(), StartError>
    where
        M: Fn() -> F + Send,
        F: Future<Output = Result<(), MigrateError>> + Send,
    {
        let (mut wait, longest) = WAITS;
        let outage = Outage::of("the database");
        loop {
            match migrate().await {
                Ok(()) => break,
                Err(error) if error.is_unavailable() => {
                    outage.begins(&one_line(&error));
                }
                Err(error) => return Err(StartError::other("cannot use the database", error)),
            }
            tokio::time::sleep(wait).await;
            wait = longest.min(wait * 2);
        }
        outage.ends();
        self.up_to_date.store(true, Ordering::Release);
        Ok(())
    }

    /// Lets the caller use the tables.
    ///
    /// # Errors
    /// When they are not up to date; trying again later is right.
    pub fn ready(&self) -> Result<(), StoreError> {
        if self.up_to_date.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(StoreError::Unavailable(Box::new(NotYet)))
        }
    }

    /// Readiness: the database answers, and the tables are up to date.
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
