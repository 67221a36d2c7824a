use std::time::Duration;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, storable};
use application::StoreError;
use application::notification::{
    ChannelName, ClaimLimit, MAX_RETRY_DELAY, Notification, NotificationClaim, SendOutcome,
};
use sqlx::{PgPool, Postgres, Transaction};

use super::rows::NotificationRow;

/// How much later than the longest wait a notification may be due, because clocks are not exact.
const CLOCK_SLACK: Duration = Duration::from_mins(1);

/// Rows of `notifications` that an open transaction has locked. Dropping it rolls the
/// transaction back, and other workers can claim the rows.
#[derive(Debug)]
pub struct PgNotificationClaim {
    transaction: Transaction<'static, Postgres>,
    ids: Vec<i64>,
    notifications: Vec<Notification>,
}

impl PgNotificationClaim {
    /// Claims the notifications that have been due for longest. Rows that another worker has locked are
    /// skipped.
    ///
    /// A notification that is due later than the longest wait got its `due_at` from a clock that was ahead.
    /// It is claimed too.
    ///
    /// Only the first pending notification of an order is claimed. A row that another worker has locked is
    /// pending until that worker commits, so the later notifications of its order are not claimed before.
    ///
    /// Messages are read up to the limit in bytes. The other rows stay locked until the claim ends.
    pub(super) async fn take(
        pool: &PgPool,
        hold: Duration,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> Result<Option<Self>, StoreError> {
        let mut transaction = pool.begin().await.map_err(PgError::from)?;
        // Lets Postgres end the transaction if the worker was stopped or its host is gone.
        let hold = sqlx::query!(
            "SELECT set_config('idle_in_transaction_session_timeout', $1, true)",
            format!("{}ms", hold.as_millis())
        );
        hold.fetch_one(&mut *transaction).await.map_err(PgError::from)?;
        let claim = sqlx::query_as!(
            NotificationRow,
            r#"
            WITH due AS (
                SELECT first.*
                FROM (VALUES ('-infinity', now()),
                             (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
                CROSS JOIN LATERAL (
                    SELECT id, due_at, octet_length(message) AS bytes
                    FROM notifications AS first
                    WHERE state = 'pending' AND channel = $1
                      AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                      AND NOT EXISTS (
                          SELECT FROM notifications AS earlier
                          WHERE earlier.order_id = first.order_id AND earlier.channel = first.channel
                            AND earlier.state = 'pending'
                            AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                    ORDER BY due_at, id
                    LIMIT $2
                    FOR UPDATE OF first SKIP LOCKED
                ) AS first
            ), measured AS (
                SELECT id, row_number() OVER by_due AS place, sum(bytes) OVER by_due AS total
                FROM due WINDOW by_due AS (ORDER BY due_at, id)
            )
            SELECT id AS "id!", event_id AS "event_id!", channel AS "channel!", order_id AS "order_id!",
                   order_version AS "order_version!", message AS "message!", state AS "state!",
                   attempts AS "attempts!", NULL::text AS last_error, recorded_at AS "recorded_at!", sent_at
            FROM measured JOIN notifications USING (id)
            WHERE place <= $2 AND (place = 1 OR total <= $3)"#,
            channel.as_str(),
            i64::try_from(limit.notifications).unwrap_or(i64::MAX),
            i64::try_from(limit.bytes).unwrap_or(i64::MAX),
            (MAX_RETRY_DELAY + CLOCK_SLACK).as_secs_f64()
        );
        let mut rows = claim.fetch_all(&mut *transaction).await.map_err(PgError::from)?;
        if rows.is_empty() {
            transaction.rollback().await.map_err(PgError::from)?;
            return Ok(None);
        }
        rows.sort_unstable_by_key(|row| row.id);
        let ids = rows.iter().map(|row| row.id).collect();
        let notifications =
            rows.into_iter().map(NotificationRow::into_notification).collect::<Result<_, _>>()?;
        Ok(Some(Self { transaction, ids, notifications }))
    }

    /// Stores the outcomes. It uses `clock_timestamp()`, because `now()` is the time when the claim began.
    ///
    /// If a notification is tried again later, the later notifications of its order become due at the same
    /// time. Otherwise, after a long outage of a provider, each claim would have to skip all those that
    /// cannot be claimed yet.
    async fn store(mut self, outcomes: &[SendOutcome]) -> Result<(), PgError> {
        let (mut states, mut errors, mut delays) = (Vec::new(), Vec::new(), Vec::new());
        for outcome in outcomes {
            let (state, error, delay) = match outcome {
                SendOutcome::Sent => ("sent", None, Duration::ZERO),
                SendOutcome::Later { reason, delay } => ("pending", Some(storable(reason)), *delay),
                SendOutcome::Failed(reason) => ("failed", Some(storable(reason)), Duration::ZERO),
            };
            states.push(state);
            errors.push(error);
            delays.push(delay.as_secs_f64());
        }
        // Notifications without an outcome were not tried. Their rows stay unchanged.
        self.ids.truncate(states.len());
        let settle = sqlx::query!(
            "
            WITH settled AS (
                UPDATE notifications AS kept
                SET attempts = kept.attempts + 1,
                    state = given.state,
                    sent_at = CASE WHEN given.state = 'sent' THEN clock_timestamp() END,
                    due_at = clock_timestamp() + make_interval(secs => given.delay),
                    last_error = given.error
                FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::double precision[])
                    AS given (id, state, error, delay)
                WHERE kept.id = given.id
                RETURNING kept.id, kept.order_id, kept.channel, kept.state, kept.due_at
            )
            UPDATE notifications AS later
            SET due_at = settled.due_at
            FROM settled
            WHERE settled.state = 'pending' AND later.state = 'pending'
              AND later.order_id = settled.order_id AND later.channel = settled.channel
              AND later.id <> settled.id AND later.due_at < settled.due_at",
            &self.ids,
            &states as _,
            &errors as _,
            &delays
        );
        settle.execute(&mut *self.transaction).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

impl NotificationClaim for PgNotificationClaim {
    fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    async fn settle(self, outcomes: &[SendOutcome]) -> Result<(), StoreError> {
        Ok(in_time(self.store(outcomes)).await?)
    }
}
