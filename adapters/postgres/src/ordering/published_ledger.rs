use application::StoreError;
use application::reconcile::{
    Digest, LedgerEntry, OrderLedger, OrderRange, PublishedLedger, Republished,
};
use domain::OrderId;
use sqlx::types::Uuid;

use super::republish;
use crate::ledger::{READING, Statements, statements, uuids};
use crate::patience::within;
use crate::{Database, PgError, PgLedger};

static LEDGER: Statements = statements! {
    columns: "id, version, version AS events",
    from: "ordering.orders",
    key: "id",
    group: ""
};

/// Walks what lies behind the cursors, and the exceptions before them: the outbox has no index by
/// order, which every save would pay for. `OFFSET 0` has each lane looked up in the index of the outbox,
/// whatever the statistics say.
const IN_FLIGHT: &str = "
WITH unpublished AS MATERIALIZED (
    SELECT o.order_id FROM ordering.outbox_lanes AS l
    CROSS JOIN LATERAL (SELECT order_id FROM ordering.outbox AS o
                        WHERE o.lane = l.lane AND o.position > l.through OFFSET 0) AS o
    UNION ALL
    SELECT o.order_id FROM ordering.outbox_stragglers AS s
    CROSS JOIN LATERAL (SELECT order_id FROM ordering.outbox AS o
                        WHERE o.lane = s.lane AND o.position = s.position OFFSET 0) AS o
    UNION ALL
    SELECT o.order_id FROM ordering.outbox_gaps AS g
    CROSS JOIN LATERAL (SELECT order_id FROM ordering.outbox AS o
                        WHERE o.lane = g.lane
                          AND o.position BETWEEN g.first_position AND g.last_position OFFSET 0) AS o
    UNION ALL
    SELECT order_id FROM ordering.outbox_dead_letters
)
SELECT DISTINCT order_id FROM unpublished JOIN unnest($1::uuid[]) AS asked (order_id) USING (order_id)";

/// Every order, and whether all of its events are published, in Postgres.
#[derive(Debug, Clone)]
pub struct PgPublishedLedger {
    orders: PgLedger,
    database: Database,
}

impl PgPublishedLedger {
    /// The orders in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { orders: PgLedger::new(database, &LEDGER), database: database.clone() }
    }

    /// Closes the connection, after the work it is doing.
    pub async fn close(&self) {
        self.orders.close().await;
    }
}

impl OrderLedger for PgPublishedLedger {
    async fn digest(&self, range: OrderRange) -> Result<Digest, StoreError> {
        self.orders.digest(range).await
    }

    async fn page(&self, range: OrderRange, limit: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        self.orders.page(range, limit).await
    }

    async fn find_all(&self, orders: &[OrderId]) -> Result<Vec<LedgerEntry>, StoreError> {
        self.orders.find_all(orders).await
    }
}

impl PublishedLedger for PgPublishedLedger {
    async fn in_flight(&self, orders: &[OrderId]) -> Result<Vec<OrderId>, StoreError> {
        let ask = sqlx::query_scalar(IN_FLIGHT).bind(uuids(orders)).fetch_all(self.orders.pool());
        let found: Vec<Uuid> = within(READING, ask).await.map_err(PgError::from)?;
        Ok(found.into_iter().map(OrderId::new).collect())
    }

    async fn republish(&self, orders: &[OrderId]) -> Result<Vec<Republished>, StoreError> {
        Ok(republish::republish(self.database.pool(), orders).await?)
    }
}
