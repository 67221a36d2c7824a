use std::time::Duration;

use adapter_postgres::PgError;
use adapter_postgres::timeouts::in_time;
use application::StoreError;
use application::notification::{
    Attempt, Notification, NotificationFilter, NotificationId, NotificationViews,
};
use application::paging::{Page, PageLimit};
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::PgNotifications;
use super::rows::NotificationRow;

impl NotificationViews for PgNotifications {
    async fn list(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: PageLimit,
    ) -> Result<Page<Notification, NotificationId>, StoreError> {
        let rows = in_time(rows(&self.pool, filter, after, limit)).await?;
        let all: Result<Vec<_>, _> =
            rows.into_iter().map(NotificationRow::into_notification).collect();
        Ok(Page::from_rows(all?, limit, |one| one.id))
    }

    async fn attempts(&self, id: NotificationId) -> Result<Vec<Attempt>, StoreError> {
        let attempts = sqlx::query!(
            "SELECT began_at, duration_ms, accepted, answer FROM attempts
             WHERE notification_id = $1 ORDER BY recorded_at",
            id.get()
        );
        let rows =
            in_time(async { Ok::<_, PgError>(attempts.fetch_all(&self.pool).await?) }).await?;
        Ok(rows
            .into_iter()
            .map(|row| Attempt {
                began: row.began_at.into(),
                duration: Duration::from_millis(row.duration_ms.unsigned_abs().into()),
                accepted: row.accepted,
                answer: row.answer,
            })
            .collect())
    }
}

async fn rows(
    pool: &PgPool,
    filter: &NotificationFilter,
    after: Option<NotificationId>,
    limit: PageLimit,
) -> Result<Vec<NotificationRow>, PgError> {
    let columns = NotificationRow::COLUMNS;
    let mut query = QueryBuilder::new(format!("SELECT {columns} FROM notifications WHERE id > "));
    query.push_bind(after.map_or(i64::MIN, NotificationId::get));
    conditions(filter, &mut query);
    query.push(" ORDER BY id LIMIT ");
    query.push_bind(i64::try_from(limit.plus_one()).unwrap_or(i64::MAX));
    Ok(query.build_query_as().fetch_all(pool).await?)
}

/// Adds a condition for each field of the filter. The statement is built at run time, so that each filter
/// gets a plan of its own with the right index.
pub(super) fn conditions(filter: &NotificationFilter, query: &mut QueryBuilder<Postgres>) {
    let NotificationFilter { id, order_id, state, channel, destination } = filter;
    if let Some(id) = id {
        query.push(" AND id = ").push_bind(id.get());
    }
    if let Some(order_id) = order_id {
        query.push(" AND order_id = ").push_bind(order_id.get());
    }
    if let Some(state) = state {
        query.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(channel) = channel {
        query.push(" AND channel = ").push_bind(channel.as_str());
    }
    if let Some(destination) = destination {
        query.push(" AND destination = ").push_bind(destination.clone());
    }
}
