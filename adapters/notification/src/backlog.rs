use std::time::Duration;

use adapter_postgres::PgError;
use adapter_postgres::timeouts::in_time;
use application::StoreError;
use application::notification::ChannelName;

use super::PgNotifications;

impl PgNotifications {
    /// For how long the oldest notification of this channel has been due. Zero if none is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_due(&self, channel: ChannelName) -> Result<Duration, StoreError> {
        let oldest = sqlx::query_scalar!(
            r#"SELECT extract(epoch FROM now() - least(
                   (SELECT min(due_at) FROM notifications
                    WHERE state = 'pending' AND channel = $1 AND channel <> 'webhook'),
                   (SELECT min(oldest.due_at)
                    FROM webhooks
                    CROSS JOIN LATERAL (
                        SELECT due_at FROM notifications
                        WHERE state = 'pending' AND channel = 'webhook'
                          AND destination = webhooks.id::text
                        ORDER BY due_at LIMIT 1
                    ) AS oldest
                    WHERE $1 = 'webhook')
               ))::double precision AS seconds"#,
            channel.as_str()
        );
        let seconds = async { Ok::<_, PgError>(oldest.fetch_one(&self.pool).await?) };
        let seconds = in_time(seconds).await?.unwrap_or_default();
        Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default())
    }
}
