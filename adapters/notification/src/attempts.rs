//! The day partitions of the attempts.

use adapter_postgres::PgError;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Begins a step. While it waits for its lock, workers queue behind it, so the wait is short. The next
/// round tries again.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '200ms'";

/// Creates the partitions of today and of the next three days.
pub(super) async fn create_days(pool: &PgPool) -> Result<(), PgError> {
    let mut transaction = pool.begin_with(BEGIN).await?;
    let create = sqlx::query!(
        "SELECT create_attempts_day((now() AT TIME ZONE 'UTC')::date + ahead)
         FROM generate_series(0, 3) AS ahead"
    );
    create.fetch_all(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Deletes the attempts of the days before this moment. Returns how many days.
pub(super) async fn drop_days(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, PgError> {
    let mut transaction = pool.begin_with(BEGIN).await?;
    let drop = sqlx::query_scalar!(
        r#"SELECT drop_attempts_before($1) AS "dropped!""#,
        before.date_naive()
    );
    let dropped = drop.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(dropped.unsigned_abs())
}
