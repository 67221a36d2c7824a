//! Making an outbox sound again, on an operator's word.

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

use super::outbox_check::finding::{
    Finding, Known, LaneSight, Server, findings, reason, remembered,
};

#[doc(hidden)]
pub use positions::put_right as put_positions_right;
pub use report::AdoptionReport;
use rows::Again;

/// How long an adoption may take: it looks at every retained event.
const ADOPTION: Duration = Duration::from_mins(15);

/// What its session is told: nothing else is to limit a statement that looks at every event.
const SESSION: &str = "SET statement_timeout = '15min'";

/// How far before the last check that found the outbox sound events are published again: longer than
/// a writer's transaction takes, and than the clocks of two servers differ.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

const REMEMBER: &str = "
UPDATE outbox_identity
SET system_identifier = $1, timeline = $2, verified_at = $3, reached = $4, stopped_for = NULL,
    adopted_at = clock_timestamp()";

/// Makes the outbox sound, whatever a check found, and takes this server for the right one.
///
/// Sequences are moved past all positions that are known. Events that may lie unpublished behind a
/// cursor, and those that share a position, get new positions. So they are published, or published
/// again, and consumers drop what they have seen. Those of an order keep their order.
#[derive(Debug, Clone)]
pub struct Adoption {
    database: Database,
    aggregates: &'static str,
    since: Option<DateTime<Utc>>,
}

/// Why an outbox was not adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The database failed.
    #[error("the database failed; adopt again, since nothing is published before that")]
    Store(#[source] StoreError),
    /// A standby cannot be written to.
    #[error("this server is a standby; let DATABASE_URL lead to the primary")]
    Standby,
    /// Something is wrong that an adoption does not put right.
    #[error("the outbox would still not be sound, so no event was touched: {0}")]
    StillUnsound(String),
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

/// What the outbox was like before it was adopted.
struct Before {
    server: Server,
    known: Option<Known>,
    lanes: Vec<LaneSight>,
    findings: Vec<Finding>,
}

impl Adoption {
    /// An adoption of the outbox in this database. `aggregates` is the table, with a key `id`, whose row
    /// a writer locks before it appends an aggregate's events. Events behind a cursor count as unpublished if
    /// they were recorded at `since` or later. If it is not given: since shortly before the last
    /// check that found the outbox sound, or, if there was none, all of them.
    #[must_use]
    pub fn new(database: &Database, aggregates: &'static str, since: Option<Timestamp>) -> Self {
        Self { database: database.clone(), aggregates, since: since.map(Timestamp::get) }
    }

    /// Tells what there is to adopt, and changes nothing.
    ///
    /// # Errors
    /// When the outbox cannot be looked at.
    pub async fn look(&self) -> Result<AdoptionReport, AdoptionError> {
        self.in_a_session(async |pool: &PgPool| {
            let mut session = pool.acquire().await?;
            let before = Before::read(&mut session).await?;
            let since = self.since(before.known.as_ref());
            let again = if before.findings.is_empty() {
                Again::default()
            } else {
                Again::count(&mut session, since).await?
            };
            Ok(before.report(since, again))
        })
        .await
    }

    /// Adopts the outbox, if there is anything to adopt, and tells what it was like before. Relays
    /// stop meanwhile; orders are taken, but for a moment.
    ///
    /// # Errors
    /// When it fails. Relays may be stopped then until it succeeds; no event is lost.
    pub async fn adopt(&self) -> Result<AdoptionReport, AdoptionError> {
        self.in_a_session(async |pool: &PgPool| {
            let mut session = pool.acquire().await?;
            let before = Before::read(&mut session).await?;
            let since = self.since(before.known.as_ref());
            if before.findings.is_empty() {
                return Ok(before.report(since, Again::default()));
            }
            positions::put_right(&mut session).await?;
            session.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            let again = Again::append(&mut session, self.aggregates, since).await?;
            remember(&mut session).await?;
            session.execute("COMMIT").await?;
            Ok(before.report(since, again))
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

    fn since(&self, known: Option<&Known>) -> Option<DateTime<Utc>> {
        let verified_at = known.and_then(|known| known.verified_at);
        self.since.or_else(|| verified_at?.checked_sub_signed(MARGIN))
    }
}

impl Before {
    async fn read(session: &mut PgConnection) -> Result<Self, AdoptionError> {
        let server = Server::read(session).await?;
        let known = Known::read(session).await?;
        let reached = remembered(known.as_ref());
        let lanes = LaneSight::read(session, &reached).await?;
        let findings = findings(&server, known.as_ref(), &lanes, &reached);
        if findings == [Finding::Standby] {
            return Err(AdoptionError::Standby);
        }
        Ok(Self { server, known, lanes, findings })
    }

    fn report(self, since: Option<DateTime<Utc>>, again: Again) -> AdoptionReport {
        let Self { server, known, lanes, findings } = self;
        AdoptionReport { server, known, lanes, findings, since, again }
    }
}

/// Remembers this server, if the lanes are sound now.
async fn remember(session: &mut PgConnection) -> Result<(), AdoptionError> {
    let server = Server::read(session).await?;
    let lanes = LaneSight::read(session, &[]).await?;
    if let Some(reason) = reason(&findings(&server, None, &lanes, &[])) {
        return Err(AdoptionError::StillUnsound(reason));
    }
    sqlx::query(REMEMBER)
        .bind(server.system_identifier)
        .bind(server.timeline)
        .bind(server.read_at)
        .bind(lanes.iter().map(LaneSight::reached).collect::<Vec<i64>>())
        .execute(session)
        .await?;
    Ok(())
}
