//! Runs the contract tests of the ports.

use std::future::Future;

use adapter_notification::{PgNotifications, ledger};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, PgLedger};
use application::dead_letters::DeadLetterNumber;
use application::inbox::Inbox;
use application::notification::RecordNotices;
use application::published::DeadLetter;
use application::testing::{
    DeadLetterFixture, LedgerFixture, NotificationFixture, sample, store_dead_letter,
};
use test_support::stored_dead_letters;

struct Fixture {
    database: Database,
}

async fn fixture() -> Fixture {
    Fixture { database: crate::database().await }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

impl Fixture {
    fn inbox(&self) -> RecordNotices<PgNotifications> {
        RecordNotices { notifications: self.notifications(), letters: true }
    }
}

impl NotificationFixture for Fixture {
    type Notifications = PgNotifications;
    type Views = PgNotifications;
    type Customers = PgNotifications;
    type Webhooks = PgNotifications;

    fn notifications(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    fn views(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    fn customers(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    fn webhooks(&self) -> PgNotifications {
        PgNotifications::new(&self.database)
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        stored_dead_letters(&self.dead_letter_port()).await
    }

    async fn let_delays_pass(&self) {
        crate::make_due(self.database.pool()).await;
    }
}

impl LedgerFixture for Fixture {
    type Ledger = PgLedger;

    fn ledger(&self) -> PgLedger {
        ledger(&self.database)
    }

    async fn add_event(&self, n: u32, version: u32) {
        let event = if version == 1 { sample::created(n) } else { sample::cancelled(n, version) };
        self.inbox().apply_batch(&[event], &[]).await.unwrap();
    }
}

impl DeadLetterFixture for Fixture {
    type DeadLetters = PgDeadLetters;

    fn dead_letter_port(&self) -> PgDeadLetters {
        PgDeadLetters::new(&self.database)
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        store_dead_letter(&self.inbox(), &self.dead_letter_port(), n, version, reason).await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}

application::order_ledger_contract!(run, fixture());
application::consumer_ledger_contract!(run, fixture());
application::dead_letters_contract!(run, fixture());
application::consumer_dead_letters_contract!(run, fixture());
application::notifications_contract!(run, fixture());
application::notification_inbox_contract!(run, fixture());
application::letters_contract!(run, fixture());
application::webhooks_contract!(run, fixture());
application::webhook_claims_contract!(run, fixture());
application::webhook_failures_contract!(run, fixture());
