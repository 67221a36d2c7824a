/// A statement that leases the notifications of `due`, a common table expression with their ids, and returns them
/// with the columns of `receiver` from these joins. Its first parameters are the limit, the lease, how long
/// it holds in seconds, and the longest wait in seconds.
macro_rules! lease {
    ($due:literal, receiver: $receiver:literal, joins: $joins:literal, $request:expr $(, $parameter:expr)*) => {
        sqlx::query_as!(
            $crate::claim::ClaimedRow,
            $due
                + r#", leased AS (
            UPDATE notifications AS kept
            SET lease = $2, due_at = clock_timestamp() + make_interval(secs => $3)
            FROM notifications AS before JOIN due USING (id)
            WHERE kept.id = before.id
            RETURNING kept.*, before.lease IS NOT NULL AS ran_out
        )
        SELECT leased.id AS "id!", event_id AS "event_id!", channel AS "channel!",
               destination AS "destination!", order_id AS "order_id!", order_version AS "order_version!",
               event_type, occurred_at, reason, attempts AS "attempts!", due_at AS "due_at!",
               recorded_at AS "recorded_at!", ran_out AS "ran_out!", "#
                + $receiver
                + " FROM leased "
                + $joins,
            $crate::claim::to_bigint($request.limit),
            $request.lease.get(),
            $request.hold.as_secs_f64(),
            $crate::claim::longest_wait($request)
            $(, $parameter)*
        )
    };
}

mod calls;
mod letters;
mod log;

use std::time::Duration;

use adapter_postgres::KeptSessions;
use application::StoreError;
use application::notification::{
    Addressee, ChannelName, ClaimRequest, Claimed, Endpoint, Recipient, SealedSecret,
    max_retry_delay,
};
use chrono::{DateTime, Utc};
use domain::notification::{EmailAddress, Preferences};
use uuid::Uuid;

use self::calls::claim_calls;
use self::letters::claim_letters;
use self::log::claim_log;
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
    previous_secrets: Option<Vec<Vec<u8>>>,
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
        ChannelName::Log => claim_log(&mut session, request).await?,
        ChannelName::Email => claim_letters(&mut session, request).await?,
    };
    session.keep();
    let mut claimed =
        rows.into_iter().map(|row| row.into_claimed(request)).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|one| one.notification.id);
    Ok(claimed)
}

fn longest_wait(request: ClaimRequest<'_>) -> f64 {
    (max_retry_delay(request.channel) + CLOCK_SLACK).as_secs_f64()
}

fn to_bigint(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
        let previous = self.previous_secrets.take().unwrap_or_default();
        let secrets = std::iter::once(self.secret.take()?).chain(previous);
        Some(Endpoint {
            url: self.url.take()?,
            secrets: secrets.map(SealedSecret).collect(),
            failing_since: self.failing_since.map(Into::into),
        })
    }
}
