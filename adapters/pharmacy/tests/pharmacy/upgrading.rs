//! The tables of the version before, and programs of that version beside newer ones.

use adapter_avro::encode_pharmacy_event;
use adapter_pharmacy::{PgPharmacyOrders, TABLES};
use adapter_postgres::{ContextTables, Database, Migrations};
use application::inbox::Inbox;
use application::pharmacy::{
    PharmacyOrderView, PharmacyViews, ReceiveOrders, WorkOnOrder, work_on_order,
};
use domain::OrderId;
use domain::pharmacy::{Command, WorkStatus};
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use sqlx::migrate::Migrator;
use test_support::{cancelled, created};

/// The number of migrations in the version before, which only received orders.
const BEFORE: usize = 5;

static PREVIOUS: ContextTables = ContextTables {
    migrations: &[Migrations { files: previous_version, recorded_in: "_migrations" }],
    ..TABLES
};

fn previous_version() -> Migrator {
    let all = sqlx::migrate!("../../migrations/pharmacy");
    Migrator { migrations: all.migrations[..BEFORE].to_vec().into(), ..all }
}

/// How the version before inserts an order.
const INSERT: &str = "
    INSERT INTO orders (order_id, revision, version, missing, status, customer_name, note,
                        ordered_at, cancel_reason, cancelled_at)
    VALUES ($1, 1, $2, $3, $4, $5, NULL, CASE WHEN $5 IS NULL THEN NULL ELSE now() END, $6,
            CASE WHEN $6 IS NULL THEN NULL ELSE now() END)";

/// How the version before cancels an order.
const CANCEL: &str = "
    UPDATE orders SET version = 2, missing = 0, status = 'cancelled', cancel_reason = 'no',
                      cancelled_at = now(), revision = revision + 1, updated_at = now()
    WHERE order_id = $1";

struct Pharmacy {
    database: Database,
    orders: PgPharmacyOrders,
}

impl Pharmacy {
    async fn of_the_version_before() -> Self {
        let args = fresh_database().await.unwrap().args();
        let previous = Database::new(&PREVIOUS, &args, "before").unwrap();
        previous.migrate().await.unwrap();
        let database = Database::new(&TABLES, &args, "test").unwrap();
        let orders = PgPharmacyOrders::new(&database, encode_pharmacy_event);
        Self { database, orders }
    }

    async fn inserted(
        &self,
        version: i64,
        missing: i64,
        name: Option<&str>,
        why: Option<&str>,
    ) -> OrderId {
        let id = clock::new_order_id();
        sqlx::query(INSERT)
            .bind(id.get())
            .bind(version)
            .bind(missing)
            .bind(if why.is_some() { "cancelled" } else { "draft" })
            .bind(name)
            .bind(why)
            .execute(self.database.pool())
            .await
            .unwrap();
        id
    }

    async fn cancelled_by_the_version_before(&self, id: OrderId) {
        let done = sqlx::query(CANCEL).bind(id.get()).execute(self.database.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn view(&self, id: OrderId) -> PharmacyOrderView {
        self.orders.view(id).await.unwrap().unwrap()
    }

    async fn work(&self, id: OrderId, command: Command) {
        let command = WorkOnOrder { id, command, expected: None };
        work_on_order(&self.orders, command, clock::event_stamp()).await.unwrap();
    }
}

#[tokio::test]
async fn orders_of_the_version_before_are_drafts_or_cancelled() {
    let pharmacy = Pharmacy::of_the_version_before().await;
    let draft = pharmacy.inserted(1, 0, Some("Ada"), None).await;
    let gone = pharmacy.inserted(2, 0, Some("Ada"), Some("no")).await;
    let early = pharmacy.inserted(2, 1, None, Some("no")).await;
    pharmacy.database.migrate().await.unwrap();

    let view = pharmacy.view(draft).await;
    assert_eq!((view.work.status, view.work.history), (WorkStatus::Draft, vec![]));
    pharmacy.work(draft, Command::Confirm).await;
    assert_eq!(pharmacy.view(draft).await.work.status, WorkStatus::Confirmed);
    for id in [gone, early] {
        let view = pharmacy.view(id).await;
        assert_eq!(view.work.status, WorkStatus::Cancelled);
        assert_eq!(view.work.history.len(), 1);
        assert_eq!(view.work.history[0].at, view.order.cancellation.unwrap().at);
    }
    let inbox = ReceiveOrders { orders: pharmacy.orders.clone(), now: clock::now };
    inbox.apply_batch(&[created(early, "Ada"), cancelled(early, "no")], &[]).await.unwrap();
    let view = pharmacy.view(early).await;
    assert_eq!((view.order.versions.missing(), view.work.version), (0, None));
    assert!(view.order.contents.is_some());
}

#[tokio::test]
async fn a_program_of_the_version_before_can_still_receive_orders() {
    let pharmacy = Pharmacy::of_the_version_before().await;
    pharmacy.database.migrate().await.unwrap();
    let received = pharmacy.inserted(1, 0, Some("Ada"), None).await;
    let confirmed = pharmacy.inserted(1, 0, Some("Ada"), None).await;
    pharmacy.work(confirmed, Command::Confirm).await;
    for id in [received, confirmed] {
        pharmacy.cancelled_by_the_version_before(id).await;
        let view = pharmacy.view(id).await;
        assert_eq!(view.work.status, WorkStatus::Cancelled);
        assert_eq!(view.work.history.last().unwrap().status, WorkStatus::Cancelled);
    }
}
