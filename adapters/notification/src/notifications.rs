use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, dead_letters};
use application::StoreError;
use application::inbox::BatchOutcome;
use application::notification::{
    ChannelName, ClaimLimit, NewNotification, Notification, NotificationViews, Notifications,
};
use application::published::DeadLetter;
use domain::{OrderId, Timestamp};
use sqlx::PgConnection;

use super::delete_settled::delete_settled;
use super::rows::NotificationRow;
use super::{PgNotificationClaim, PgNotifications};

impl Notifications for PgNotifications {
    type Claim = PgNotificationClaim;

    async fn record(
        &self,
        new: &[NewNotification],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let applied = in_time(self.record_all(new, dead)).await?;
        Ok(BatchOutcome {
            applied,
            repeated: (new.len() as u64).saturating_sub(applied),
            dead: dead.len() as u64,
            ..BatchOutcome::default()
        })
    }

    async fn claim(
        &self,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> Result<Option<PgNotificationClaim>, StoreError> {
        in_time(PgNotificationClaim::take(&self.pool, self.hold, channel, limit)).await
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(delete_settled(&self.pool, before, limit).await?)
    }
}

impl NotificationViews for PgNotifications {
    async fn of_order(&self, id: OrderId) -> Result<Vec<Notification>, StoreError> {
        let notifications = sqlx::query_as!(
            NotificationRow,
            "SELECT id, event_id, channel, order_id, order_version, message, state, attempts,
                    last_error, recorded_at, sent_at
             FROM notifications WHERE order_id = $1 ORDER BY id",
            id.get()
        );
        let rows = notifications.fetch_all(&self.pool).await.map_err(PgError::from)?;
        rows.into_iter().map(NotificationRow::into_notification).collect()
    }
}

impl PgNotifications {
    async fn record_all(
        &self,
        new: &[NewNotification],
        dead: &[DeadLetter],
    ) -> Result<u64, PgError> {
        if dead.is_empty() {
            // A single statement needs no explicit transaction.
            return insert(&mut *self.pool.acquire().await?, new).await;
        }
        let mut transaction = self.pool.begin().await?;
        let applied = insert(&mut transaction, new).await?;
        dead_letters::keep(&mut transaction, dead).await?;
        transaction.commit().await?;
        Ok(applied)
    }
}

/// Inserts the notifications that do not exist yet. Returns how many.
///
/// `recorded_at` is never before the last time that housekeeping trusted. If the clock of Postgres is
/// behind and is corrected later, the notification must not look old then.
///
/// Ids are assigned in the order of the parameters. Rows are written in the order of their keys, so
/// that two consumers cannot deadlock.
async fn insert(connection: &mut PgConnection, new: &[NewNotification]) -> Result<u64, PgError> {
    if new.is_empty() {
        return Ok(0);
    }
    let record = sqlx::query!(
        "INSERT INTO notifications
             (id, event_id, channel, order_id, order_version, message, recorded_at)
         SELECT id, event_id, channel, order_id, order_version, message,
                greatest(now(), (SELECT believed_at FROM housekeeping_clock))
         FROM (
             SELECT nextval('notification_ids') AS id, ordered.*
             FROM (
                 SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[])
                     WITH ORDINALITY
                     AS given (event_id, channel, order_id, order_version, message, place)
                 ORDER BY place
             ) AS ordered
         ) AS numbered
         ORDER BY event_id, channel, id
         ON CONFLICT (event_id, channel) DO NOTHING",
        &new.iter().map(|one| one.event_id.get()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.order_id.get()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.order_version.get()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.message.as_str()).collect::<Vec<_>>() as _,
    );
    Ok(record.execute(connection).await?.rows_affected())
}
