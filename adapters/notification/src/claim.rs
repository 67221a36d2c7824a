use std::time::Duration;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, storable};
use application::StoreError;
use application::notification::{
    ChannelName, ClaimLimit, Notification, NotificationClaim, SendOutcome,
};
use sqlx::{PgPool, Postgres, Transaction};

use super::rows::NotificationRow;

/// After so many tries a notification has failed; with the waits between them that takes some 8
/// hours.
const MAX_ATTEMPTS: i32 = 20;

/// The wait before the next try doubles from one second up to this many.
const MAX_WAIT_SECONDS: f64 = 3600.0;

/// How much later than the longest wait a notification may be due, as clocks are not exact.
const CLOCK_SLACK_SECONDS: f64 = 60.0;

/// Postgres ends the transaction of a worker that was stopped, or whose host is gone.
const HOLD_AT_MOST: &str = "SELECT set_config('idle_in_transaction_session_timeout', $1, true)";

/// Those that are due first come first; rows another worker holds are skipped. What is due later than
/// the longest wait allows was noted by a clock that was ahead: it is due as well.
///
/// Only the first pending notification of an order is claimed. A row that another worker holds is
/// pending until that worker commits, so the later ones of its order are not claimed meanwhile.
///
/// Messages are read only as far as the limit in bytes allows; what is locked beyond it stays locked
/// until the claim ends.
const CLAIM: &str = "
    WITH due AS (
        SELECT first.*
        FROM (VALUES ('-infinity', now()),
                     (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
        CROSS JOIN LATERAL (
            SELECT id, due_at, octet_length(message) AS bytes
            FROM notification.notifications AS first
            WHERE state = 'pending' AND channel = $1
              AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
              AND NOT EXISTS (
                  SELECT FROM notification.notifications AS earlier
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
    SELECT id, event_id, channel, order_id, order_version, message, state, attempts,
           NULL::text AS last_error, recorded_at, sent_at
    FROM measured JOIN notification.notifications USING (id)
    WHERE place <= $2 AND (place = 1 OR total <= $3)";

/// The moment is read from the clock: `now()` is when the claim began.
///
/// What waits behind a notification that is tried again is not due before it either. Otherwise, after
/// a long outage of a provider, each claim would step over all that cannot be claimed yet.
const SETTLE: &str = "
    WITH settled AS (
        UPDATE notification.notifications AS kept
        SET attempts = kept.attempts + 1,
            state = CASE
                WHEN given.outcome <> 'later' THEN given.outcome
                WHEN kept.attempts + 1 >= $4 THEN 'failed'
                ELSE 'pending'
            END,
            sent_at = CASE WHEN given.outcome = 'sent' THEN clock_timestamp() END,
            due_at = clock_timestamp() + make_interval(secs => least(2.0 ^ kept.attempts, $5)),
            last_error = given.error
        FROM UNNEST($1::bigint[], $2::text[], $3::text[]) AS given (id, outcome, error)
        WHERE kept.id = given.id
        RETURNING kept.id, kept.order_id, kept.channel, kept.state, kept.due_at
    )
    UPDATE notification.notifications AS later
    SET due_at = settled.due_at
    FROM settled
    WHERE settled.state = 'pending' AND later.state = 'pending'
      AND later.order_id = settled.order_id AND later.channel = settled.channel
      AND later.id <> settled.id AND later.due_at < settled.due_at";

/// Rows of `notification.notifications` that an open transaction keeps locked. Dropped, the
/// transaction is rolled back and others may claim them.
#[derive(Debug)]
pub struct PgNotificationClaim {
    transaction: Transaction<'static, Postgres>,
    ids: Vec<i64>,
    notifications: Vec<Notification>,
}

impl PgNotificationClaim {
    pub(super) async fn take(
        pool: &PgPool,
        hold: Duration,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> Result<Option<Self>, StoreError> {
        let mut transaction = pool.begin().await.map_err(PgError::from)?;
        sqlx::query(HOLD_AT_MOST)
            .bind(format!("{}ms", hold.as_millis()))
            .execute(&mut *transaction)
            .await
            .map_err(PgError::from)?;
        let mut rows: Vec<NotificationRow> = sqlx::query_as(CLAIM)
            .bind(channel.as_str())
            .bind(i64::try_from(limit.notifications).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit.bytes).unwrap_or(i64::MAX))
            .bind(MAX_WAIT_SECONDS + CLOCK_SLACK_SECONDS)
            .fetch_all(&mut *transaction)
            .await
            .map_err(PgError::from)?;
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

    async fn note(mut self, outcomes: &[SendOutcome]) -> Result<(), PgError> {
        let (names, errors): (Vec<&str>, Vec<Option<String>>) = outcomes
            .iter()
            .map(|outcome| match outcome {
                SendOutcome::Sent => ("sent", None),
                SendOutcome::Later(why) => ("later", Some(storable(why))),
                SendOutcome::Failed(why) => ("failed", Some(storable(why))),
            })
            .unzip();
        // What has no outcome was not tried: it stays as it is.
        self.ids.truncate(names.len());
        sqlx::query(SETTLE)
            .bind(self.ids)
            .bind(names)
            .bind(errors)
            .bind(MAX_ATTEMPTS)
            .bind(MAX_WAIT_SECONDS)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

impl NotificationClaim for PgNotificationClaim {
    fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    async fn settle(self, outcomes: &[SendOutcome]) -> Result<(), StoreError> {
        Ok(in_time(self.note(outcomes)).await?)
    }
}
