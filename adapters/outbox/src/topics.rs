use application::StoreError;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// The number of partitions of each topic when it was first seen.
///
/// The stored number never changes. Relays compare it with the topic, to find partitions that were
/// added later: these would break the order of events.
#[derive(Debug, Clone)]
pub struct Topics {
    database: Database,
}

impl Topics {
    /// The topics in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// The number of partitions that the topic had when it was first seen. `None` if it is not
    /// stored yet.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn partitions(&self, topic: &str) -> Result<Option<i32>, StoreError> {
        let stored = sqlx::query_scalar!("SELECT partitions FROM topics WHERE name = $1", topic)
            .fetch_optional(self.database.pool());
        Ok(in_time(async { stored.await.map_err(PgError::from) }).await?)
    }

    /// The number of partitions that the topic had when it was first seen. If it is not stored yet,
    /// stores and returns `partitions`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn first_partitions(&self, topic: &str, partitions: i32) -> Result<i32, StoreError> {
        let store = async {
            let pool = self.database.pool();
            sqlx::query!(
                "INSERT INTO topics (name, partitions) VALUES ($1, $2)
                 ON CONFLICT (name) DO NOTHING",
                topic,
                partitions
            )
            .execute(pool)
            .await
            .map_err(PgError::from)?;
            // A separate statement, because it has a new snapshot. If another relay stored its
            // number first, the snapshot of the insert does not contain that row.
            sqlx::query_scalar!("SELECT partitions FROM topics WHERE name = $1", topic)
                .fetch_one(pool)
                .await
                .map_err(PgError::from)
        };
        Ok(in_time(store).await?)
    }
}
