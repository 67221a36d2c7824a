use adapter_postgres::PgError;
use application::notification::NotificationFilter;
use sqlx::{PgPool, QueryBuilder};

use super::views::conditions;

/// Makes failed and suppressed notifications due again. Returns how many.
pub(super) async fn retry(
    pool: &PgPool,
    filter: &NotificationFilter,
    limit: usize,
) -> Result<u64, PgError> {
    let mut query = QueryBuilder::new(
        "UPDATE notifications
         SET state = 'pending', attempts = 0, due_at = clock_timestamp(), last_error = NULL, lease = NULL
         WHERE state IN ('failed', 'suppressed') AND id IN (
             SELECT id FROM notifications WHERE state IN ('failed', 'suppressed')",
    );
    conditions(filter, &mut query);
    query.push(" ORDER BY id LIMIT ");
    query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX)).push(" FOR UPDATE)");
    Ok(query.build().execute(pool).await?.rows_affected())
}
