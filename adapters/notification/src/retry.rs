use adapter_postgres::PgError;
use application::notification::{NotificationFilter, NotificationId};
use sqlx::{PgPool, QueryBuilder};

use super::views::conditions;

/// Makes failed and suppressed notifications due again. Returns their ids.
pub(super) async fn retry(
    pool: &PgPool,
    filter: &NotificationFilter,
    after: Option<NotificationId>,
    limit: usize,
) -> Result<Vec<NotificationId>, PgError> {
    let mut query = QueryBuilder::new(
        "UPDATE notifications
         SET state = 'pending', attempts = 0, due_at = clock_timestamp(), last_error = NULL, lease = NULL
         WHERE state IN ('failed', 'suppressed') AND id IN (
             SELECT id FROM notifications WHERE state IN ('failed', 'suppressed') AND id > ",
    );
    query.push_bind(after.map_or(i64::MIN, NotificationId::get));
    conditions(filter, &mut query);
    query.push(" ORDER BY id LIMIT ");
    query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX)).push(" FOR UPDATE) RETURNING id");
    let mut ids: Vec<i64> = query.build_query_scalar().fetch_all(pool).await?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(NotificationId::new).collect())
}
