//! Runs the contract tests of the ports on both stores.

use std::future::Future;
use std::time::Duration;

use adapter_notification::{self as notification, PgNotifications};
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::PgLedger;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::dead_letters::DeadLetterNumber;
use application::inbox::Inbox;
use application::notification::{ChannelName, NotifyCustomer};
use application::pharmacy::ReceiveOrders;
use application::published::DeadLetter;
use application::testing::{
    DeadLetterFixture, LedgerFixture, NotificationFixture, PharmacyFixture, sample,
    store_dead_letter,
};
use sqlx::PgPool;

use crate::fixture;

struct PgFixture {
    database: adapter_postgres::Database,
    pool: PgPool,
}

async fn pg_fixture() -> PgFixture {
    let (database, pool) = fixture::database_and_pool().await;
    PgFixture { database, pool }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

async fn kept(letters: PgDeadLetters) -> Vec<DeadLetter> {
    let kept = fixture::open(&letters).await;
    kept.into_iter().map(|kept| DeadLetter { record: kept.content, reason: kept.reason }).collect()
}

impl PharmacyFixture for PgFixture {
    type Orders = PgPharmacyOrders;
    type Views = PgPharmacyOrders;

    fn orders(&self) -> PgPharmacyOrders {
        PgPharmacyOrders::new(&self.database)
    }

    fn views(&self) -> PgPharmacyOrders {
        PgPharmacyOrders::new(&self.database)
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        kept(pharmacy::dead_letters(&self.database)).await
    }
}

impl NotificationFixture for PgFixture {
    type Notifications = PgNotifications;
    type Views = PgNotifications;

    fn notifications(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    fn views(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        kept(notification::dead_letters(&self.database)).await
    }

    /// Makes pending notifications due. The sleep gives a dropped claim time to be rolled back, which
    /// happens in the background.
    async fn let_delays_pass(&self) {
        fixture::make_due(&self.pool).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The context under test.
enum Context {
    Pharmacy,
    Notification,
}

struct ContextFixture {
    context: Context,
    pg_fixture: PgFixture,
}

impl LedgerFixture for ContextFixture {
    type Ledger = PgLedger;

    fn ledger(&self) -> PgLedger {
        match self.context {
            Context::Pharmacy => pharmacy::ledger(&self.pg_fixture.database),
            Context::Notification => notification::ledger(&self.pg_fixture.database),
        }
    }

    async fn add_event(&self, n: u32, version: u32) {
        let event = if version == 1 { sample::created(n) } else { sample::cancelled(n, version) };
        match self.context {
            Context::Pharmacy => {
                let inbox = ReceiveOrders(PgPharmacyOrders::new(&self.pg_fixture.database));
                inbox.apply_batch(&[event], &[]).await.unwrap();
            }
            Context::Notification => {
                let notifications = PgNotifications::new(&self.pg_fixture.database);
                let inbox = NotifyCustomer { notifications, channels: vec![ChannelName::Log] };
                inbox.apply_batch(&[event], &[]).await.unwrap();
            }
        }
    }
}

impl DeadLetterFixture for ContextFixture {
    type DeadLetters = PgDeadLetters;

    fn dead_letter_port(&self) -> PgDeadLetters {
        match self.context {
            Context::Pharmacy => pharmacy::dead_letters(&self.pg_fixture.database),
            Context::Notification => notification::dead_letters(&self.pg_fixture.database),
        }
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        let (database, letters) = (&self.pg_fixture.database, self.dead_letter_port());
        match self.context {
            Context::Pharmacy => {
                let inbox = ReceiveOrders(PgPharmacyOrders::new(database));
                store_dead_letter(&inbox, &letters, n, version, reason).await
            }
            Context::Notification => {
                let notifications = PgNotifications::new(database);
                let inbox = NotifyCustomer { notifications, channels: vec![ChannelName::Log] };
                store_dead_letter(&inbox, &letters, n, version, reason).await
            }
        }
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}

async fn fixture_of(context: Context) -> ContextFixture {
    ContextFixture { context, pg_fixture: pg_fixture().await }
}

mod pharmacy_ledger {
    use super::{Context, fixture_of, run};

    application::order_ledger_contract!(run, fixture_of(Context::Pharmacy));
    application::consumer_ledger_contract!(run, fixture_of(Context::Pharmacy));
}

mod notification_ledger {
    use super::{Context, fixture_of, run};

    application::order_ledger_contract!(run, fixture_of(Context::Notification));
    application::consumer_ledger_contract!(run, fixture_of(Context::Notification));
}

mod pharmacy_dead_letters {
    use super::{Context, fixture_of, run};

    application::dead_letters_contract!(run, fixture_of(Context::Pharmacy));
    application::consumer_dead_letters_contract!(run, fixture_of(Context::Pharmacy));
}

mod notification_dead_letters {
    use super::{Context, fixture_of, run};

    application::dead_letters_contract!(run, fixture_of(Context::Notification));
    application::consumer_dead_letters_contract!(run, fixture_of(Context::Notification));
}

mod pharmacy_orders {
    application::pharmacy_orders_contract!(super::run, super::pg_fixture());
}

mod pharmacy_views {
    application::pharmacy_views_contract!(super::run, super::pg_fixture());
}

mod pharmacy_inbox {
    application::pharmacy_inbox_contract!(super::run, super::pg_fixture());
}

mod notifications {
    application::notifications_contract!(super::run, super::pg_fixture());
}

mod notification_inbox {
    application::notification_inbox_contract!(super::run, super::pg_fixture());
}
