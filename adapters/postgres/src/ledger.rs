//! The ledger of orders of a context: see [`OrderLedger`].
//!
//! Each context has its own tables, but the hash is the same for all. It must not depend on the
//! database or the version of Postgres, so it uses SHA-256 and not the hash functions of Postgres.

use std::time::Duration;

use application::StoreError;
use application::reconcile::{Digest, LedgerEntry, OrderLedger, OrderRange};
use domain::{OrderId, OrderVersion};
use sqlx::PgPool;
use sqlx::types::Uuid;

use super::timeouts::{close, within};
use super::{Database, PgError};

/// How many orders one statement reads for a digest, so that no statement takes long.
const CHUNK: i64 = 50_000;

/// How long a statement may take. No HTTP request waits for it.
pub const READING: Duration = Duration::from_mins(1);

/// More settings for each session. Statements may take as long as [`READING`].
///
/// They must read a range of ids in chunks by the index, whatever the statistics say: those may be
/// missing after a restore.
const SESSION: &str = "SET statement_timeout = '1min';
SET plan_cache_mode = force_custom_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashagg = off;
SET enable_sort = off";

/// The statements on a context's tables. Created by [`ledger_statements!`](crate::ledger_statements).
#[derive(Debug)]
pub struct Statements {
    /// Selects the entries of a range of ids, sorted by id, up to a limit.
    pub page: &'static str,
    /// Selects the number, the hash and the last id of the same entries.
    pub digest: &'static str,
    /// Selects the entries of some orders.
    pub find: &'static str,
}

/// The statements of a context.
///
/// `columns` selects `id`, `version` and `events` of an entry, `from` names the tables, `key` is the
/// column with the order's id, and `group` is appended to the condition.
#[macro_export]
macro_rules! ledger_statements {
    (columns: $columns:literal, from: $from:literal, key: $key:literal, group: $group:literal) => {
        $crate::ledger::Statements {
            page: $crate::ledger_page!($columns, $from, $key, $group),
            digest: concat!(
                "SELECT count(*), coalesce(bit_xor(('x' || encode(sha256(
                     uuid_send(id) || int8send(version) || int8send(events)), 'hex'))::bit(64)::bigint), 0),
                     max(id::text COLLATE \"C\")::uuid
                 FROM (",
                $crate::ledger_page!($columns, $from, $key, $group),
                ") AS entry"
            ),
            find: concat!(
                "SELECT ", $columns, " FROM ", $from, " WHERE ", $key, " = ANY ($1) ", $group
            ),
        }
    };
}

/// Selects the entries of a range.
#[doc(hidden)]
#[macro_export]
macro_rules! ledger_page {
    ($columns:literal, $from:literal, $key:literal, $group:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $from,
            " WHERE ",
            $key,
            " >= $1 AND ",
            $key,
            " < $2 ",
            $group,
            " ORDER BY ",
            $key,
            " LIMIT $3"
        )
    };
}

/// The ledger of orders of a context, in Postgres. It has its own connection.
#[derive(Debug, Clone)]
pub struct PgLedger {
    pool: PgPool,
    sql: &'static Statements,
}

type Row = (Uuid, i64, i64);

impl PgLedger {
    /// The ledger that these statements read.
    #[must_use]
    pub fn new(database: &Database, sql: &'static Statements) -> Self {
        let pool = database.sessions(1, SESSION).connect_lazy_with(database.options().clone());
        Self { pool, sql }
    }

    /// Waits for the work in progress, then closes the connection.
    pub async fn close(&self) {
        close(&self.pool).await;
    }

    /// The pool of its one connection.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The digest of the first [`CHUNK`] orders of the range. The id is that of the last of them, or
    /// `None` if there are no more orders after it.
    async fn digest_chunk(
        &self,
        range: OrderRange,
    ) -> Result<(Digest, Option<OrderId>), StoreError> {
        let digest = sqlx::query_as(self.sql.digest)
            .bind(range.from().get())
            .bind(range.before().get())
            .bind(CHUNK)
            .fetch_one(&self.pool);
        let (orders, hash, last): (i64, i64, Option<Uuid>) =
            within(READING, digest).await.map_err(PgError::from)?;
        let last = last.filter(|_| orders == CHUNK).map(OrderId::new);
        Ok((Digest { orders: u64::try_from(orders).unwrap_or(0), hash }, last))
    }
}

impl OrderLedger for PgLedger {
    async fn digest(&self, range: OrderRange) -> Result<Digest, StoreError> {
        let (mut sum, mut last) = self.digest_chunk(range).await?;
        while let Some(order) = last {
            let (digest, next) = self.digest_chunk(range.after(order)).await?;
            sum = sum.and(digest);
            last = next;
        }
        Ok(sum)
    }

    async fn page(&self, range: OrderRange, limit: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        let page = sqlx::query_as(self.sql.page)
            .bind(range.from().get())
            .bind(range.before().get())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool);
        entries(within(READING, page).await.map_err(PgError::from)?)
    }

    async fn find_all(&self, orders: &[OrderId]) -> Result<Vec<LedgerEntry>, StoreError> {
        let find = sqlx::query_as(self.sql.find).bind(uuids(orders)).fetch_all(&self.pool);
        entries(within(READING, find).await.map_err(PgError::from)?)
    }
}

/// The ids as parameters of a statement.
#[must_use]
pub fn uuids(orders: &[OrderId]) -> Vec<Uuid> {
    orders.iter().map(|order| order.get()).collect()
}

fn entries(rows: Vec<Row>) -> Result<Vec<LedgerEntry>, StoreError> {
    let entry = |(id, version, events)| {
        let version =
            OrderVersion::try_from(version).map_err(|error| StoreError::Broken(Box::new(error)))?;
        Ok(LedgerEntry { order_id: OrderId::new(id), version, events })
    };
    rows.into_iter().map(entry).collect()
}
