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
    // In the order of keys, against deadlocks with erasures.
    let mut settled: Vec<&Settled> = settled.iter().collect();
    settled.sort_unstable_by_key(|one| one.id);
    let mut session = sessions.acquire().await?;
    let stored = if settled.iter().all(|one| one.endpoint.is_none()) {
        let stored = store(&mut session, &settled).await?;
        // After the results, not with them: if the program ends here, the next call does it.
        change_endpoints(&mut session, &stored, &settled).await?;
        stored.len()
    } else {
        let mut transaction = session.begin().await?;
        let stored = store(&mut transaction, &settled).await?;
        change_endpoints(&mut transaction, &stored, &settled).await?;
        transaction.commit().await?;
        stored.len()
    };
    session.keep();
    Ok(stored as u64)
}

/// A row whose result was stored.
#[derive(Debug)]
struct Stored {
    id: i64,
    destination: String,
    /// Whether this call was accepted and earlier ones had failed.
    recovered: bool,
}

/// Changes webhooks, in the order of their keys, against deadlocks.
async fn change_endpoints(
    connection: &mut PgConnection,
    stored: &[Stored],
    settled: &[&Settled],
) -> Result<(), PgError> {
    let mut stored: Vec<&Stored> = stored.iter().collect();
    stored.sort_unstable_by_key(|one| &one.destination);
    for one in stored {
        let Ok(webhook) = one.destination.parse() else { continue };
        if one.recovered {
            recover(connection, webhook).await?;
        }
        let result = settled.iter().find(|settled| settled.id.get() == one.id);
        if let Some(change) = result.and_then(|settled| settled.endpoint.as_ref()) {
            change_endpoint(connection, webhook, change).await?;
        }
    }
    Ok(())
}

async fn recover(connection: &mut PgConnection, webhook: Uuid) -> Result<(), PgError> {
    let recover = sqlx::query!(
        "UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        webhook
    );
    recover.execute(connection).await?;
    Ok(())
}

/// If a notification is tried again later, the later notifications of its order become due at the same
/// time. Otherwise, after a long outage of a provider, each claim would have to skip all those that
/// cannot be claimed yet.
async fn store(
    connection: &mut PgConnection,
    settled: &[&Settled],
) -> Result<Vec<Stored>, PgError> {
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
        SELECT id, destination,
               channel = 'webhook' AND state = 'sent'
                   AND EXISTS (SELECT FROM webhooks
                               WHERE webhooks.id::text = destination AND failing_since IS NOT NULL) AS "recovered!"
        FROM settled"#,
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
    let (since, reason) = match change {
        EndpointChange::FailingSince(since) => {
            let failing = sqlx::query!(
                "UPDATE webhooks SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL",
                webhook,
                since.get()
            );
            failing.execute(connection).await?;
            return Ok(());
        }
        EndpointChange::Gone(reason) => (None, reason),
        EndpointChange::Failing { since, reason } => (Some(since.get()), reason),
    };
    let disable = sqlx::query!(
        "UPDATE webhooks
         SET disabled_at = clock_timestamp(), disabled_reason = $2, version = version + 1
         WHERE id = $1 AND disabled_at IS NULL AND ($3::timestamptz IS NULL OR failing_since = $3)",
        webhook,
        storable(reason),
        since
    );
    disable.execute(connection).await?;
    Ok(())
}
