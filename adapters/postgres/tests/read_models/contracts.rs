//! Both stores pass the contracts of their ports.

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

use crate::told;

struct PgWorld {
    database: adapter_postgres::Database,
    pool: PgPool,
}

async fn world() -> PgWorld {
    let (database, pool) = told::database_and_pool().await;
    PgWorld { database, pool }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

async fn kept(letters: PgDeadLetters) -> Vec<DeadLetter> {
    let kept = told::open(&letters).await;
    kept.into_iter().map(|kept| DeadLetter { record: kept.content, reason: kept.reason }).collect()
}

impl PharmacyFixture for PgWorld {
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

impl NotificationFixture for PgWorld {
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

    /// What waits is due at once. The pause is for the connection of a dropped claim, which is
    /// rolled back in the background.
    async fn let_delays_pass(&self) {
        told::make_due(&self.pool).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whose part of the database is meant.
enum Context {
    Pharmacy,
    Notification,
}

struct Part {
    context: Context,
    world: PgWorld,
}

impl LedgerFixture for Part {
    type Ledger = PgLedger;

    fn ledger(&self) -> PgLedger {
        match self.context {
            Context::Pharmacy => pharmacy::ledger(&self.world.database),
            Context::Notification => notification::ledger(&self.world.database),
        }
    }

    async fn add_event(&self, n: u32, version: u32) {
        let event = if version == 1 { sample::created(n) } else { sample::cancelled(n, version) };
        match self.context {
            Context::Pharmacy => {
                let inbox = ReceiveOrders(PgPharmacyOrders::new(&self.world.database));
                inbox.apply_batch(&[event], &[]).await.unwrap();
            }
            Context::Notification => {
                let notifications = PgNotifications::new(&self.world.database);
                let inbox = NotifyCustomer { notifications, channels: vec![ChannelName::Log] };
                inbox.apply_batch(&[event], &[]).await.unwrap();
            }
        }
    }
}

impl DeadLetterFixture for Part {
    type DeadLetters = PgDeadLetters;

    fn dead_letter_port(&self) -> PgDeadLetters {
        match self.context {
            Context::Pharmacy => pharmacy::dead_letters(&self.world.database),
            Context::Notification => notification::dead_letters(&self.world.database),
        }
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        let (database, letters) = (&self.world.database, self.dead_letter_port());
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

async fn part_of(context: Context) -> Part {
    Part { context, world: world().await }
}

mod pharmacy_ledger {
    use super::{Context, part_of, run};

    application::order_ledger_contract!(run, part_of(Context::Pharmacy));
    application::consumer_ledger_contract!(run, part_of(Context::Pharmacy));
}

mod notification_ledger {
    use super::{Context, part_of, run};

    application::order_ledger_contract!(run, part_of(Context::Notification));
    application::consumer_ledger_contract!(run, part_of(Context::Notification));
}

mod pharmacy_dead_letters {
    use super::{Context, part_of, run};

    application::dead_letters_contract!(run, part_of(Context::Pharmacy));
    application::consumer_dead_letters_contract!(run, part_of(Context::Pharmacy));
}

mod notification_dead_letters {
    use super::{Context, part_of, run};

    application::dead_letters_contract!(run, part_of(Context::Notification));
    application::consumer_dead_letters_contract!(run, part_of(Context::Notification));
}

mod pharmacy_orders {
    application::pharmacy_orders_contract!(super::run, super::world());
}

mod pharmacy_views {
    application::pharmacy_views_contract!(super::run, super::world());
}

mod pharmacy_inbox {
    application::pharmacy_inbox_contract!(super::run, super::world());
}

mod notifications {
    application::notifications_contract!(super::run, super::world());
}

mod notification_inbox {
    application::notification_inbox_contract!(super::run, super::world());
}
