use application::StoreError;
use application::reconcile::{
    Digest, LedgerEntry, OrderLedger, OrderRange, PublishedLedger, Republished,
};
use domain::OrderId;

use adapter_outbox::{in_flight, republish};
use adapter_postgres::ledger::{Statements, uuids};
use adapter_postgres::ledger_statements;
use adapter_postgres::{Database, PgLedger};

static LEDGER: Statements = ledger_statements! {
    columns: "id, version, version AS events",
    from: "orders",
    key: "id",
    group: ""
};

/// The orders and the state of their events in the outbox, in Postgres.
///
/// Reconciliation compares them with the read models.
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

    /// Closes the connection after its current work.
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
        let found = in_flight(self.orders.pool(), uuids(orders)).await?;
        Ok(found.into_iter().map(OrderId::new).collect())
    }

    async fn republish(&self, orders: &[OrderId]) -> Result<Vec<Republished>, StoreError> {
        Ok(republish(self.database.pool(), orders).await?)
    }
}
