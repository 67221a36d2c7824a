use application::StoreError;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// What is remembered of the topics that events are published to.
#[derive(Debug, Clone)]
pub struct Topics {
    database: Database,
}

impl Topics {
    /// Remembered in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// How many partitions the topic had when it was first seen, if it was.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn partitions(&self, topic: &str) -> Result<Option<i32>, StoreError> {
        let known = sqlx::query_scalar("SELECT partitions FROM topics WHERE name = $1")
            .bind(topic)
            .fetch_optional(self.database.pool());
        Ok(in_time(async { known.await.map_err(PgError::from) }).await?)
    }

    /// How many partitions the topic had when it was first seen; that is now, with `partitions`, if
    /// it is not known yet.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn first_partitions(&self, topic: &str, partitions: i32) -> Result<i32, StoreError> {
        let remember = async {
            let pool = self.database.pool();
            sqlx::query(
                "INSERT INTO topics (name, partitions) VALUES ($1, $2)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(topic)
            .bind(partitions)
            .execute(pool)
            .await
            .map_err(PgError::from)?;
            // A statement of its own: one that was not first does not see the other's row.
            sqlx::query_scalar("SELECT partitions FROM topics WHERE name = $1")
                .bind(topic)
                .fetch_one(pool)
                .await
                .map_err(PgError::from)
        };
        Ok(in_time(remember).await?)
    }
}
