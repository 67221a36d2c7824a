//! Runs the contract tests of the ports.

use std::future::Future;

use adapter_avro::encode_pharmacy_event;
use adapter_pharmacy::{PgPharmacyOrders, ledger};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, PgLedger};
use application::dead_letters::DeadLetterNumber;
use application::inbox::Inbox;
use application::pharmacy::ReceiveOrders;
use application::published::DeadLetter;
use application::testing::{
    DeadLetterFixture, LedgerFixture, PharmacyFixture, sample, store_dead_letter,
};
use domain::{EventId, OrderId};
use runtime::clock;
use test_support::stored_dead_letters;
use uuid::Uuid;

struct Fixture {
    database: Database,
}

async fn fixture() -> Fixture {
    Fixture { database: crate::database().await }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

impl PharmacyFixture for Fixture {
    type Orders = PgPharmacyOrders;
    type Views = PgPharmacyOrders;

    fn orders(&self) -> PgPharmacyOrders {
        PgPharmacyOrders::new(&self.database, encode_pharmacy_event)
    }

    fn views(&self) -> PgPharmacyOrders {
        PgPharmacyOrders::new(&self.database, encode_pharmacy_event)
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        stored_dead_letters(&self.dead_letter_port()).await
    }

    async fn recorded(&self, order: OrderId) -> Vec<EventId> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT event_id FROM outbox WHERE order_id = $1 ORDER BY position")
                .bind(order.get())
                .fetch_all(self.database.pool())
                .await
                .unwrap();
        ids.into_iter().map(EventId::new).collect()
    }
}

impl LedgerFixture for Fixture {
    type Ledger = PgLedger;

    fn ledger(&self) -> PgLedger {
        ledger(&self.database)
    }

    async fn add_event(&self, n: u32, version: u32) {
        let event = if version == 1 { sample::created(n) } else { sample::cancelled(n, version) };
        ReceiveOrders { orders: self.orders(), now: clock::now }
            .apply_batch(&[event], &[])
            .await
            .unwrap();
    }
}

impl DeadLetterFixture for Fixture {
    type DeadLetters = PgDeadLetters;

    fn dead_letter_port(&self) -> PgDeadLetters {
        PgDeadLetters::new(&self.database)
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        let inbox = ReceiveOrders { orders: self.orders(), now: clock::now };
        store_dead_letter(&inbox, &self.dead_letter_port(), n, version, reason).await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}

application::order_ledger_contract!(run, fixture());
application::consumer_ledger_contract!(run, fixture());
application::dead_letters_contract!(run, fixture());
application::consumer_dead_letters_contract!(run, fixture());
application::pharmacy_orders_contract!(run, fixture());
application::pharmacy_views_contract!(run, fixture());
application::pharmacy_inbox_contract!(run, fixture());
