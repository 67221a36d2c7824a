use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::StoreError;
use runtime::{Check, Outage, StartError, one_line};

use super::Database;

/// The first and the longest wait between attempts to reach the database.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

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
#[error("the tables are not up to date yet")]
struct NotUpToDate;

impl MigrationGate {
    /// Runs the pending migrations of the database, and waits until it can be reached.
    ///
    /// # Errors
    /// When the database answers, but a migration fails. A retry would not help.
    pub async fn prepare(&self, database: &Database) -> Result<(), StartError> {
        let (mut wait, longest) = WAITS;
        let outage = Outage::of("the database");
        loop {
            match database.migrate().await {
                Ok(()) => break,
                Err(error) if error.is_unavailable() => {
                    outage.report_failure(&one_line(&error));
                }
                Err(error) => return Err(StartError::other("cannot use the database", error)),
            }
            tokio::time::sleep(wait).await;
            wait = longest.min(wait * 2);
        }
        outage.report_success();
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
