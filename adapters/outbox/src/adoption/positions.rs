//! The first step: from now on all positions that are given are new ones.

use std::time::Duration;

use adapter_postgres::PgError;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::time::{Instant, sleep};

use super::super::outbox_check::finding::LaneSight;

/// How far beyond the last known position a sequence goes on. One would do: while the table is locked
/// there is no writer with a position that is not known.
const MARGIN: i64 = 100;

/// How long the end of the writers' transactions is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The wait before the next try. Writers that queue behind the lock get their turn.
const PAUSE: Duration = Duration::from_millis(100);

/// SQLSTATE of a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Stops all relays. Were they to go on once the sequences are right, nobody would know of the events
/// that lie behind the cursors.
const STOP: &str = "
INSERT INTO outbox_identity AS known (system_identifier, timeline, stopped_for)
SELECT system_identifier, timeline(), why
FROM pg_control_system(), (VALUES ('`order-jobs adopt` is at work, or was interrupted; run it again')) AS reason (why)
ON CONFLICT (only_row) DO UPDATE SET stopped_for = coalesce(known.stopped_for, EXCLUDED.stopped_for)";

/// Stops all relays, and moves each sequence that is missing, behind or gives positions in blocks
/// beyond all positions there are.
///
/// The lock waits for all writers that have taken a position, and none takes one while it is held.
/// So once this has returned, every event with an old position can be seen.
/// # Errors
/// When the database fails.
pub async fn put_right(session: &mut PgConnection) -> Result<(), PgError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt(session).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                session.execute("ROLLBACK").await?;
                if !is_lock_not_available(&error) || Instant::now() > deadline {
                    return Err(error.into());
                }
            }
        }
        sleep(PAUSE).await;
    }
}

async fn attempt(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Writers queue behind a lock that is waited for, so the wait is short.
    session
        .execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'")
        .await?;
    session.execute(STOP).await?;
    session.execute("LOCK TABLE outbox IN SHARE MODE").await?;
    for sight in LaneSight::read(session, &[]).await? {
        let beyond = sight.reached().max(sight.last.unwrap_or(0)) + MARGIN;
        if sight.last.is_none_or(|last| last < sight.reached()) || !sight.ascends {
            move_on(session, sight.lane, beyond).await?;
        }
    }
    session.execute("COMMIT").await?;
    Ok(())
}

/// `RESTART` makes sessions forget the positions that they had taken in advance.
async fn move_on(session: &mut PgConnection, lane: i16, to: i64) -> Result<(), sqlx::Error> {
    let statements = format!(
        "CREATE SEQUENCE IF NOT EXISTS outbox_lane_{lane} AS bigint;
         ALTER SEQUENCE outbox_lane_{lane}
             INCREMENT BY 1 MINVALUE 1 NO MAXVALUE NO CYCLE CACHE 1 RESTART WITH {to};
         SELECT setval('outbox_lane_{lane}', {to})"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(session).await?;
    Ok(())
}

fn is_lock_not_available(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}
