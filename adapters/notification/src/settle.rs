use std::time::Duration;

use adapter_postgres::{KeptSessions, PgError, storable};
use application::notification::{EndpointChange, SendOutcome, Settled};
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// Stores the results and the attempts, except those whose lease was lost. Returns how many were stored.
///
/// `clock_timestamp()` is used, because `now()` is the time when the transaction began.
pub(super) async fn settle(sessions: &KeptSessions, settled: &[Settled]) -> Result<u64, PgError> {
    let mut session = sessions.acquire().await?;
    if settled.iter().all(|one| one.endpoint.is_none()) {
        let stored = store(&mut session, settled).await?;
        session.keep();
        return Ok(stored.len() as u64);
    }
    let mut transaction = session.begin().await?;
    let mut stored = store(&mut transaction, settled).await?;
    let count = stored.len() as u64;
    // In the order of keys, against deadlocks.
    stored.sort_unstable_by(|one, other| one.destination.cmp(&other.destination));
    for Stored { id, destination } in stored {
        let result = settled.iter().find(|one| one.id.get() == id);
        if let Some((change, webhook)) =
            result.and_then(|one| one.endpoint.as_ref()).zip(destination.parse().ok())
        {
            change_endpoint(&mut transaction, webhook, change).await?;
        }
    }
    transaction.commit().await?;
    session.keep();
    Ok(count)
}

/// A row whose result was stored.
#[derive(Debug)]
struct Stored {
    id: i64,
    destination: String,
}

/// If a notification is tried again later, the later notifications of its order become due at the same
/// time. Otherwise, after a long outage of a provider, each claim would have to skip all those that
/// cannot be claimed yet.
async fn store(connection: &mut PgConnection, settled: &[Settled]) -> Result<Vec<Stored>, PgError> {
    let (mut states, mut errors, mut delays) = (Vec::new(), Vec::new(), Vec::new());
    let (mut began, mut durations, mut accepted, mut answers) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in settled {
        let (state, error, delay) = match &one.outcome {
            SendOutcome::Sent => ("sent", None, Duration::ZERO),
            SendOutcome::Later { reason, delay } => ("pending", Some(reason), *delay),
            SendOutcome::Failed(reason) => ("failed", Some(reason), Duration::ZERO),
            SendOutcome::Suppressed(reason) => ("suppressed", Some(reason), Duration::ZERO),
        };
        states.push(state);
        errors.push(error.map(|error| storable(error)));
        delays.push(delay.as_secs_f64());
        let attempt = one.attempt.as_ref();
        began.push(attempt.map(|attempt| attempt.began.get()));
        durations.push(
            attempt.map(|attempt| i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX)),
        );
        accepted.push(attempt.map(|attempt| attempt.accepted));
        answers.push(attempt.map(|attempt| storable(&attempt.answer)));
    }
    let settle = sqlx::query_as!(
        Stored,
        r#"
        WITH given AS (
            SELECT * FROM UNNEST($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::double precision[],
                                 $6::timestamptz[], $7::integer[], $8::boolean[], $9::text[])
                AS given (id, lease, state, error, delay, began_at, duration_ms, accepted, answer)
        ), settled AS (
            UPDATE notifications AS kept
            SET attempts = kept.attempts + (given.began_at IS NOT NULL)::integer,
                state = given.state,
                sent_at = CASE WHEN given.state = 'sent' THEN clock_timestamp() END,
                due_at = clock_timestamp() + make_interval(secs => given.delay),
                last_error = given.error,
                lease = NULL
            FROM given
            WHERE kept.id = given.id AND kept.lease = given.lease AND kept.state = 'pending'
            RETURNING kept.id, kept.order_id, kept.channel, kept.destination, kept.state, kept.due_at
        ), postponed AS (
            UPDATE notifications AS later
            SET due_at = settled.due_at
            FROM settled
            CROSS JOIN LATERAL (SELECT * FROM notifications AS same_order
                                WHERE same_order.order_id = settled.order_id OFFSET 0) AS same_order
            WHERE settled.state = 'pending' AND later.id = same_order.id
              AND later.state = 'pending' AND same_order.state = 'pending'
              AND same_order.channel = settled.channel AND same_order.destination = settled.destination
              AND same_order.id <> settled.id AND later.due_at < settled.due_at
        ), attempted AS (
            INSERT INTO attempts (notification_id, began_at, duration_ms, accepted, answer)
            SELECT id, began_at, duration_ms, accepted, answer
            FROM given JOIN settled USING (id) WHERE began_at IS NOT NULL
        )
        SELECT id, destination FROM settled"#,
        &settled.iter().map(|one| one.id.get()).collect::<Vec<_>>(),
        &settled.iter().map(|one| one.lease.get()).collect::<Vec<_>>(),
        &states as _,
        &errors as _,
        &delays,
        &began as &[Option<DateTime<Utc>>],
        &durations as &[Option<i32>],
        &accepted as &[Option<bool>],
        &answers as _
    );
    Ok(settle.fetch_all(connection).await?)
}

async fn change_endpoint(
    connection: &mut PgConnection,
    webhook: Uuid,
    change: &EndpointChange,
) -> Result<(), PgError> {
    let change = match change {
        EndpointChange::Recovered => sqlx::query!(
            "UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
            webhook
        ),
        EndpointChange::FailingSince(since) => sqlx::query!(
            "UPDATE webhooks SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL",
            webhook,
            since.get()
        ),
        EndpointChange::Disabled(reason) => sqlx::query!(
            "UPDATE webhooks
             SET disabled_at = clock_timestamp(), disabled_reason = $2, version = version + 1
             WHERE id = $1 AND disabled_at IS NULL",
            webhook,
            storable(reason)
        ),
    };
    change.execute(connection).await?;
    Ok(())
}
