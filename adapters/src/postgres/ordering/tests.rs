//! Ordering's tables on a real Postgres: the contract suites, and the rules of the outbox.

mod contract;
mod protocol;

use std::time::Duration;

use application::testing::OrderingWorld;
use tokio::time;

use super::{PgOrders, PgOutbox, migrate};
use crate::embedded::test_postgres::{FreshDatabase, fresh_database};
use crate::postgres::Database;

/// A database of its own, with the tables and nothing in them.
pub(super) struct World {
    pub(super) fresh: FreshDatabase,
    pub(super) database: Database,
    pub(super) orders: PgOrders,
    pub(super) outbox: PgOutbox,
}

impl World {
    pub(super) async fn new() -> Self {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&fresh.args(), "ordering-test").unwrap();
        migrate(&database).await.unwrap();
        let orders = PgOrders::new(&database);
        let outbox = PgOutbox::new(&database, 8);
        Self { fresh, database, orders, outbox }
    }
}

impl OrderingWorld for World {
    type Orders = PgOrders;
    type Views = PgOrders;
    type Outbox = PgOutbox;

    fn orders(&self) -> PgOrders {
        self.orders.clone()
    }

    fn views(&self) -> PgOrders {
        self.orders.clone()
    }

    fn outbox(&self) -> PgOutbox {
        self.outbox.clone()
    }

    async fn let_delays_pass(&self) {
        sqlx::query(
            "UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE retry_at > now()",
        )
        .execute(self.database.pool())
        .await
        .unwrap();
        time::sleep(Duration::from_millis(5)).await;
    }
}
