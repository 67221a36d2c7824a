//! Both stores pass the contracts of their ports.

use std::future::Future;
use std::time::Duration;

use adapters::postgres::dead_letters::{DeadLetterState, DeadLetters};
use adapters::postgres::notification::{self, PgNotifications};
use adapters::postgres::pharmacy::{self, PgPharmacyOrders};
use application::published::DeadLetter;
use application::testing::{NotificationWorld, PharmacyWorld};
use sqlx::PgPool;

use crate::told;

struct PgWorld {
    database: adapters::postgres::Database,
    pool: PgPool,
}

async fn world() -> PgWorld {
    let (database, pool) = told::database_and_pool().await;
    PgWorld { database, pool }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

async fn kept(letters: DeadLetters) -> Vec<DeadLetter> {
    let kept = letters.list(DeadLetterState::Open, 0, 1000).await.unwrap();
    kept.into_iter().map(|kept| kept.letter).collect()
}

impl PharmacyWorld for PgWorld {
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

impl NotificationWorld for PgWorld {
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
