//! What several programs need to do their work.

use super::Check;
#[cfg(feature = "kafka")]
use crate::kafka::ConsumerHealth;
#[cfg(feature = "postgres")]
use crate::postgres::{Database, MigrationGate};

impl Check {
    /// Whether a context's tables are up to date and its database answers.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres(database: &Database, tables: &MigrationGate) -> Self {
        let (database, tables) = (database.clone(), tables.clone());
        Self::new("postgres", move || {
            let (database, tables) = (database.clone(), tables.clone());
            async move { tables.ping(&database).await }
        })
    }

    /// Whether a consumer has its place in its group.
    #[cfg(feature = "kafka")]
    #[must_use]
    pub fn consumer(health: &ConsumerHealth) -> Self {
        let (health, warns) = (health.clone(), health.clone());
        Self::new("kafka", move || {
            let waits = || health.problem().unwrap_or_else(|| "not in its group yet".to_owned());
            std::future::ready(if health.is_ready() { Ok(()) } else { Err(waits()) })
        })
        .with_warning(move || warns.warning())
    }
}
