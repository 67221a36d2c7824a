//! Adoption: makes an inconsistent outbox consistent again, when an operator asks for it.

mod positions;
mod report;
mod rows;

use std::time::Duration;

use adapter_postgres::timeouts::{close, within};
use adapter_postgres::{Database, PgError};
use application::StoreError;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Timestamp;
use sqlx::{Executor, PgConnection, PgPool};

use super::ContextOutbox;
use super::outbox_check::problems::{
    LaneState, Problem, Server, StoredIdentity, find_problems, known_positions, stop_reason,
};

#[doc(hidden)]
pub use positions::repair as repair_positions;
pub use report::AdoptionReport;
use rows::Reappended;

/// Maximum time of an adoption. It reads every retained event.
const ADOPTION: Duration = Duration::from_mins(15);

/// Settings of its session. A statement that reads every event needs more than the default timeout.
const SESSION: &str = "SET statement_timeout = '15min'";

/// Events are published again if they were recorded after the last check that found no problem,
/// minus this margin.
///
/// It is longer than a writer's transaction takes and than the clocks of two servers differ.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Adoption of an outbox: repairs all problems that a check has found, and accepts the current
/// server.
///
/// Sequences are moved above all known positions. Events at or below a cursor that may be
/// unpublished, and events that share a position, get new positions. So they are published, maybe
/// for the second time; consumers drop repeated events. The events of an aggregate keep their
/// sequence.
#[derive(Debug, Clone)]
pub struct Adoption {
    database: Database,
    outbox: &'static ContextOutbox,
    since: Option<DateTime<Utc>>,
}

/// Why an adoption failed.
#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The database failed. Relays may stay stopped.
    #[error("the database failed; run the command again; nothing is published until it succeeds")]
    Store(#[source] StoreError),
    /// The server is a standby, which is read-only.
    #[error("this server is a standby; set DATABASE_URL to the primary")]
    Standby,
    /// There is a problem that an adoption does not repair.
    #[error("the outbox would still be inconsistent, so nothing was changed: {0}")]
    StillInconsistent(String),
}

impl From<PgError> for AdoptionError {
    fn from(error: PgError) -> Self {
        Self::Store(error.into())
    }
}

impl From<sqlx::Error> for AdoptionError {
    fn from(error: sqlx::Error) -> Self {
        PgError::from(error).into()
    }
}

/// The state of the outbox before the adoption.
struct Before {
    server: Server,
    stored: Option<StoredIdentity>,
    lanes: Vec<LaneState>,
    problems: Vec<Problem>,
}

impl Adoption {
    /// An adoption of the outbox of this context.
    ///
    /// Events at or below a cursor count as unpublished if they were recorded at or after `since`.
    /// The default is shortly before the last check that found no problem. If there was no such
    /// check, all events count as unpublished.
    #[must_use]
    pub fn new(
        database: &Database,
        outbox: &'static ContextOutbox,
        since: Option<Timestamp>,
    ) -> Self {
        Self { database: database.clone(), outbox, since: since.map(Timestamp::get) }
    }

    /// Reports what an adoption would do, and changes nothing.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn preview(&self) -> Result<AdoptionReport, AdoptionError> {
        self.in_a_session(async |pool: &PgPool| {
            let mut session = pool.acquire().await?;
            let before = Before::read(&mut session).await?;
            let since = self.since(before.stored.as_ref());
            let reappended = if before.problems.is_empty() {
                Reappended::default()
            } else {
                Reappended::count(&mut session, since).await?
            };
            Ok(before.report(since, reappended))
        })
        .await
    }

    /// Adopts the outbox if it has problems, and reports its state before. Relays stop in the
    /// meantime. Writers are blocked only for a moment.
    ///
    /// # Errors
    /// When it fails. Relays may then stay stopped until an adoption succeeds. No event is lost.
    pub async fn adopt(&self) -> Result<AdoptionReport, AdoptionError> {
        self.in_a_session(async |pool: &PgPool| {
            let mut session = pool.acquire().await?;
            let before = Before::read(&mut session).await?;
            let since = self.since(before.stored.as_ref());
            if before.problems.is_empty() {
                return Ok(before.report(since, Reappended::default()));
            }
            positions::repair(&mut session, self.outbox.command).await?;
            session.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            let reappended = Reappended::append(&mut session, self.outbox, since).await?;
            store_adopted(&mut session, self.outbox.command).await?;
            session.execute("COMMIT").await?;
            Ok(before.report(since, reappended))
        })
        .await
    }

    async fn in_a_session<T>(
        &self,
        work: impl AsyncFnOnce(&PgPool) -> Result<T, AdoptionError>,
    ) -> Result<T, AdoptionError> {
        let pool =
            self.database.sessions(1, SESSION).connect_lazy_with(self.database.options().clone());
        let done = within(ADOPTION, work(&pool)).await;
        close(&pool).await;
        done
    }

    fn since(&self, stored: Option<&StoredIdentity>) -> Option<DateTime<Utc>> {
        let verified_at = stored.and_then(|stored| stored.verified_at);
        self.since.or_else(|| verified_at?.checked_sub_signed(MARGIN))
    }
}

impl Before {
    async fn read(session: &mut PgConnection) -> Result<Self, AdoptionError> {
        let server = Server::read(session).await?;
        let stored = StoredIdentity::read(session).await?;
        let reached = known_positions(stored.as_ref());
        let lanes = LaneState::read(session, &reached).await?;
        let problems = find_problems(&server, stored.as_ref(), &lanes, &reached);
        if problems == [Problem::Standby] {
            return Err(AdoptionError::Standby);
        }
        Ok(Self { server, stored, lanes, problems })
    }

    fn report(self, since: Option<DateTime<Utc>>, reappended: Reappended) -> AdoptionReport {
        let Self { server, stored, lanes, problems } = self;
        AdoptionReport { server, stored, lanes, problems, since, reappended }
    }
}

/// Stores this server and the positions of the lanes, if the lanes have no problems now.
async fn store_adopted(session: &mut PgConnection, command: &str) -> Result<(), AdoptionError> {
    let server = Server::read(session).await?;
    let lanes = LaneState::read(session, &[]).await?;
    if let Some(reason) = stop_reason(&find_problems(&server, None, &lanes, &[]), command) {
        return Err(AdoptionError::StillInconsistent(reason));
    }
    let store = sqlx::query!(
        "
        UPDATE outbox_identity
        SET system_identifier = $1, timeline = $2, verified_at = $3, reached = $4, stopped_for = NULL,
            adopted_at = clock_timestamp()",
        server.system_identifier,
        server.timeline,
        server.read_at,
        &lanes.iter().map(LaneState::reached).collect::<Vec<_>>()[..]
    );
    store.execute(session).await?;
    Ok(())
}
