mod claim;
mod plan;
mod read;
mod settlement;

use std::time::Duration;

use application::StoreError;
use application::relay::Outbox;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool, Postgres, Transaction};

pub use claim::PgClaim;
use plan::Plan;
use read::LockedLane;
use settlement::Settlement;

use crate::postgres::{Database, PgError};

/// Begins a claim. The settings are local to the transaction, so that they hold behind a pooler too.
///
/// A stopped relay must not keep its lane, hence the timeout. The log is to be read by its index
/// whatever the statistics say: they are always behind for a partition that was empty yesterday.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL idle_in_transaction_session_timeout = '30s';
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off";

/// The outbox, as a relay sees it.
///
/// Its connections are its own, so that a relay that waits for Kafka takes none from anybody else.
#[derive(Debug, Clone)]
pub struct PgOutbox {
    pool: PgPool,
}

impl PgOutbox {
    /// The outbox in this database; so many claims can be open at once.
    #[must_use]
    pub fn new(database: &Database, claims: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(claims)
            .acquire_timeout(Duration::from_secs(3))
            .idle_timeout(Duration::from_mins(1))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // A host that vanished without a word is noticed within half a minute.
                    connection
                        .execute(
                            "SET statement_timeout = '10s';
                             SET tcp_keepalives_idle = 10;
                             SET tcp_keepalives_interval = 5;
                             SET tcp_keepalives_count = 3",
                        )
                        .await?;
                    Ok(())
                })
            })
            .connect_lazy_with(database.options().clone());
        Self { pool }
    }

    /// Closes the connections, after the claims that are open.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, PgError> {
        Ok(self.pool.begin_with(BEGIN).await?)
    }
}

impl Outbox for PgOutbox {
    type Claim = PgClaim;

    async fn claim(&self, limit: usize) -> Result<Option<PgClaim>, StoreError> {
        let mut tried = Vec::new();
        loop {
            let mut transaction = self.begin().await?;
            let Some(locked) = LockedLane::lock(&mut transaction, &tried).await? else {
                transaction.rollback().await.map_err(PgError::from)?;
                return Ok(None);
            };
            let (stragglers, fresh) = locked.read(&mut transaction, limit).await?;
            let plan = Plan::of(locked.through, stragglers, fresh, limit);
            let claim = PgClaim { transaction, lane: locked.lane, plan };
            if !claim.plan.records.is_empty() {
                return Ok(Some(claim));
            }
            // Nothing to publish: all that can be done for this lane is done here and now.
            let settlement = Settlement::of(&claim.plan, &[]);
            claim.write(settlement).await?;
            tried.push(locked.lane);
        }
    }
}
