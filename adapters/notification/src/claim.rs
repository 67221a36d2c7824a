use std::time::Duration;

use adapter_postgres::{KeptSessions, PgError};
use application::StoreError;
use application::notification::{
    Addressee, ChannelName, ClaimRequest, Claimed, Endpoint, Recipient, SealedSecret,
    max_retry_delay,
};
use chrono::{DateTime, Utc};
use domain::notification::{EmailAddress, Preferences};
use sqlx::PgConnection;
use uuid::Uuid;

use super::contacts::declined_letters;
use super::rows::NotificationRow;

/// How much later than the longest wait a notification may be due, because clocks are not exact.
const CLOCK_SLACK: Duration = Duration::from_mins(1);

/// A notification that was leased, with its receiver.
#[derive(Debug)]
struct ClaimedRow {
    id: i64,
    event_id: Uuid,
    channel: String,
    destination: String,
    order_id: Uuid,
    order_version: i64,
    event_type: Option<String>,
    occurred_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    attempts: i32,
    due_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    ran_out: bool,
    customer_name: Option<String>,
    email: Option<String>,
    language: Option<String>,
    declined: Option<Vec<String>>,
    url: Option<String>,
    secret: Option<Vec<u8>>,
    previous_secret: Option<Vec<u8>>,
    failing_since: Option<DateTime<Utc>>,
}

/// Leases the notifications that have been due for longest. Rows that another worker is leasing at this
/// moment are skipped.
///
/// A notification that is due later than the longest wait got its `due_at` from a clock that was ahead.
/// It is claimed too.
///
/// Only the first pending notification of an order and destination is claimed. One that is leased stays
/// pending until it is settled, so the later ones are not claimed before. `OFFSET 0` makes Postgres look
/// for the earlier ones by their order. Otherwise it can choose an index of all pending notifications: its
/// statistics say that there are none.
pub(super) async fn claim(
    sessions: &KeptSessions,
    request: ClaimRequest<'_>,
) -> Result<Vec<Claimed>, StoreError> {
    let mut session = sessions.acquire().await?;
    let rows = match request.channel {
        ChannelName::Webhook => claim_calls(&mut session, request).await?,
        ChannelName::Log | ChannelName::Email => claim_others(&mut session, request).await?,
    };
    session.keep();
    let mut claimed =
        rows.into_iter().map(|row| row.into_claimed(request)).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|one| one.notification.id);
    Ok(claimed)
}

async fn claim_others(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let claim = sqlx::query_as!(
        ClaimedRow,
        r#"
        WITH due AS (
            SELECT first.id
            FROM (VALUES ('-infinity', now()),
                         (now() + make_interval(secs => $5), 'infinity')) AS span (after, until)
            CROSS JOIN LATERAL (
                SELECT id, due_at
                FROM notifications AS first
                WHERE state = 'pending' AND channel = $1 AND channel <> 'webhook'
                  AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                  AND NOT EXISTS (
                      SELECT FROM (SELECT * FROM notifications AS same_order
                                   WHERE same_order.order_id = first.order_id OFFSET 0) AS earlier
                      WHERE earlier.channel = first.channel AND earlier.destination = first.destination
                        AND earlier.state = 'pending'
                        AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                ORDER BY due_at, id
                LIMIT $2
                FOR UPDATE OF first SKIP LOCKED
            ) AS first
            ORDER BY first.due_at, first.id
            LIMIT $2
        ), leased AS (
            UPDATE notifications AS kept
            SET lease = $3, due_at = clock_timestamp() + make_interval(secs => $4)
            FROM notifications AS before JOIN due USING (id)
            WHERE kept.id = before.id
            RETURNING kept.*, before.lease IS NOT NULL AS ran_out
        )
        SELECT leased.id AS "id!", event_id AS "event_id!", channel AS "channel!",
               destination AS "destination!", order_id AS "order_id!", order_version AS "order_version!",
               event_type, occurred_at, reason, attempts AS "attempts!", due_at AS "due_at!",
               recorded_at AS "recorded_at!", ran_out AS "ran_out!",
               orders.customer_name AS "customer_name?", customers.email, customers.language,
               customers.declined AS "declined?",
               NULL AS url, NULL::bytea AS secret, NULL::bytea AS previous_secret,
               NULL::timestamptz AS failing_since
        FROM leased
        LEFT JOIN orders USING (order_id)
        LEFT JOIN customers ON customers.customer_id = leased.destination AND leased.channel = 'email'"#,
        request.channel.as_str(),
        i64::try_from(request.limit).unwrap_or(i64::MAX),
        request.lease.get(),
        request.hold.as_secs_f64(),
        longest_wait(request)
    );
    Ok(claim.fetch_all(connection).await?)
}

/// Claims for each webhook on its own, so that the many notifications of one that hangs are not read. A
/// webhook whose calls fail gets one.
async fn claim_calls(
    connection: &mut PgConnection,
    request: ClaimRequest<'_>,
) -> Result<Vec<ClaimedRow>, PgError> {
    let (busy, calls): (Vec<&str>, Vec<i64>) = request
        .busy
        .iter()
        .map(|(webhook, calls)| (webhook.as_str(), i64::try_from(*calls).unwrap_or(i64::MAX)))
        .unzip();
    let claim = sqlx::query_as!(
        ClaimedRow,
        r#"
        WITH due AS (
            SELECT first.id
            FROM webhooks
            LEFT JOIN UNNEST($6::text[], $7::bigint[]) AS busy (webhook, calls)
                ON busy.webhook = webhooks.id::text
            CROSS JOIN (VALUES ('-infinity', now()),
                               (now() + make_interval(secs => $4), 'infinity')) AS span (after, until)
            CROSS JOIN LATERAL (
                SELECT id, due_at
                FROM notifications AS first
                WHERE state = 'pending' AND channel = 'webhook' AND destination = webhooks.id::text
                  AND due_at > span.after::timestamptz AND due_at <= span.until::timestamptz
                  AND NOT EXISTS (
                      SELECT FROM (SELECT * FROM notifications AS same_order
                                   WHERE same_order.order_id = first.order_id OFFSET 0) AS earlier
                      WHERE earlier.channel = 'webhook' AND earlier.destination = first.destination
                        AND earlier.state = 'pending'
                        AND (earlier.order_version, earlier.id) < (first.order_version, first.id))
                ORDER BY due_at, id
                LIMIT greatest(CASE WHEN failing_since IS NULL THEN $5::bigint ELSE 1 END
                               - coalesce(busy.calls, 0), 0)
                FOR UPDATE OF first SKIP LOCKED
            ) AS first
            ORDER BY first.due_at, first.id
            LIMIT $1
        ), leased AS (
            UPDATE notifications AS kept
            SET lease = $2, due_at = clock_timestamp() + make_interval(secs => $3)
            FROM notifications AS before JOIN due USING (id)
            WHERE kept.id = before.id
            RETURNING kept.*, before.lease IS NOT NULL AS ran_out
        )
        SELECT leased.id AS "id!", event_id AS "event_id!", channel AS "channel!",
               destination AS "destination!", order_id AS "order_id!", order_version AS "order_version!",
               event_type, occurred_at, reason, attempts AS "attempts!", due_at AS "due_at!",
               recorded_at AS "recorded_at!", ran_out AS "ran_out!",
               NULL AS customer_name, NULL AS email, NULL AS language, NULL::text[] AS declined,
               webhooks.url AS "url?", webhooks.secret AS "secret?",
               CASE WHEN previous_until > now() THEN previous_secret END AS previous_secret, failing_since
        FROM leased
        LEFT JOIN webhooks ON webhooks.id::text = leased.destination AND disabled_at IS NULL"#,
        i64::try_from(request.limit).unwrap_or(i64::MAX),
        request.lease.get(),
        request.hold.as_secs_f64(),
        longest_wait(request),
        i64::try_from(request.per_destination).unwrap_or(i64::MAX),
        &busy as _,
        &calls
    );
    Ok(claim.fetch_all(connection).await?)
}

fn longest_wait(request: ClaimRequest<'_>) -> f64 {
    (max_retry_delay(request.channel) + CLOCK_SLACK).as_secs_f64()
}

impl ClaimedRow {
    fn into_claimed(mut self, request: ClaimRequest<'_>) -> Result<Claimed, StoreError> {
        let recipient = match request.channel {
            ChannelName::Log => Recipient::Log,
            ChannelName::Email => Recipient::Customer(self.addressee()),
            ChannelName::Webhook => Recipient::Webhook(self.endpoint()),
        };
        let ran_out = self.ran_out;
        let row = NotificationRow {
            id: self.id,
            event_id: self.event_id,
            channel: self.channel,
            destination: self.destination,
            order_id: self.order_id,
            order_version: self.order_version,
            event_type: self.event_type,
            occurred_at: self.occurred_at,
            reason: self.reason,
            state: "pending".to_owned(),
            attempts: self.attempts,
            due_at: self.due_at,
            last_error: None,
            recorded_at: self.recorded_at,
            sent_at: None,
        };
        let notification = row.into_notification()?;
        Ok(Claimed { notification, lease: request.lease, ran_out, recipient })
    }

    /// The customer, if the contact can be used. A stored value that this version cannot read counts as
    /// no contact.
    fn addressee(&mut self) -> Option<Addressee> {
        let declined = declined_letters(&self.declined.take()?);
        Some(Addressee {
            name: self.customer_name.take()?,
            email: self.email.take()?.parse::<EmailAddress>().ok()?,
            language: self.language.take()?.parse().ok()?,
            preferences: Preferences::without(declined).ok()?,
        })
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let secrets = std::iter::once(self.secret.take()?).chain(self.previous_secret.take());
        Some(Endpoint {
            url: self.url.take()?,
            secrets: secrets.map(SealedSecret).collect(),
            failing_since: self.failing_since.map(Into::into),
        })
    }
}
