use application::housekeeping::ClockState;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::PgError;

/// A reading of the clock of Postgres.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) now: DateTime<Utc>,
    pub(super) is_trusted: bool,
    pub(super) state: ClockState,
}

/// Reads the clock of Postgres and decides whether to trust it.
///
/// The table `housekeeping_clock` of the context has one row.
pub(super) async fn read(pool: &PgPool) -> Result<Reading, PgError> {
    let mut transaction = pool.begin().await?;
    let row = sqlx::query!(
        r#"SELECT clock_timestamp() AS "now!", believed_at, doubted_at, confirmations
           FROM housekeeping_clock FOR UPDATE"#
    );
    let row = row.fetch_one(&mut *transaction).await?;
    let mut state = ClockState {
        trusted_at: row.believed_at.into(),
        doubted_at: row.doubted_at.map(Into::into),
        confirmations: row.confirmations.unsigned_abs(),
    };
    let is_trusted = state.record(row.now.into());
    let keep = sqlx::query!(
        "UPDATE housekeeping_clock SET believed_at = $1, doubted_at = $2, confirmations = $3",
        state.trusted_at.get(),
        state.doubted_at.map(domain::Timestamp::get),
        state.confirmations.cast_signed()
    );
    keep.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Reading { now: row.now, is_trusted, state })
}
