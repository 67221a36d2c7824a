//! The first step of an adoption: sequences return only unused positions from now on.

use std::time::Duration;

use adapter_postgres::PgError;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::time::{Instant, sleep};

use super::super::outbox_check::problems::LaneState;

/// How far above the highest known position a sequence continues. 1 would be enough: while the
/// table is locked, no writer has an unknown position.
const MARGIN: i64 = 100;

/// Maximum time to wait until the transactions of all writers have ended.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Delay before the next attempt. Writers that queue for the table continue in the meantime.
const PAUSE: Duration = Duration::from_millis(100);

/// SQLSTATE of a lock timeout.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Stops all relays. Moves each sequence that is missing, too low or set up wrongly above all
/// existing positions. `command` is how the commands for operators begin.
///
/// Acquiring the table lock waits for all writers that have taken a position, and no writer takes
/// one while the lock is held. So after this function has returned, every event with an old
/// position is visible.
///
/// # Errors
/// When the database fails.
pub async fn repair(session: &mut PgConnection, command: &str) -> Result<(), PgError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match attempt(session, command).await {
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

async fn attempt(session: &mut PgConnection, command: &str) -> Result<(), sqlx::Error> {
    // While this waits for the lock, writers queue behind it. So the timeout is short.
    session
        .execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'")
        .await?;
    stop_relays(session, command).await?;
    session.execute("LOCK TABLE outbox IN SHARE MODE").await?;
    for lane in LaneState::read(session, &[]).await? {
        let target = lane.reached().max(lane.last.unwrap_or(0)) + MARGIN;
        if lane.last.is_none_or(|last| last < lane.reached()) || !lane.ascends {
            reset_sequence(session, lane.lane, target).await?;
        }
    }
    session.execute("COMMIT").await?;
    Ok(())
}

/// Stops all relays. Otherwise they would continue as soon as the sequences are correct, although
/// the unpublished events at or below the cursors have no new positions yet.
async fn stop_relays(session: &mut PgConnection, command: &str) -> Result<(), sqlx::Error> {
    let why = format!("`{command} adopt` is at work, or was interrupted; run it again");
    let stop = sqlx::query!(
        "
        INSERT INTO outbox_identity AS stored (system_identifier, timeline, stopped_for)
        SELECT system_identifier, timeline(), $1 FROM pg_control_system()
        ON CONFLICT (only_row) DO UPDATE SET stopped_for = coalesce(stored.stopped_for, EXCLUDED.stopped_for)",
        why
    );
    stop.execute(session).await?;
    Ok(())
}

/// Creates the sequence or sets it to `to`. `RESTART` discards the positions that sessions have
/// cached.
///
/// No macro of sqlx, because a name cannot be a parameter.
async fn reset_sequence(session: &mut PgConnection, lane: i16, to: i64) -> Result<(), sqlx::Error> {
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
