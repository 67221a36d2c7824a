//! Tests of the ordering tables on a real Postgres: the contract suites, and the protocol of the
//! outbox.

mod adopting;
mod batches;
mod checking;
mod claims;
mod clocks;
mod contract;
mod erasing;
mod gaps;
mod migrating;
mod operations;
mod previous_version;
mod protocol;
mod reconciling;
mod records;
mod saving;
mod topics;
mod wakeups;

use std::time::Duration;

use adapter_outbox::Lane;
use adapter_outbox::{PgBacklog, PgClaim, PgOutbox, PgOutboxDeadLetters, PgReplay};
use adapter_postgres::Database;
use application::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept,
};
use application::ordering::{Cause, Orders, Saved};
use application::relay::{Claim, Outbox, Verdict};
use application::testing::{
    DeadLetterFixture, LedgerFixture, OperatorFixture, OrderingFixture, refuse_event, sample,
};
use domain::ordering::{NewOrder, Order, OrderItem, OrderItems, PharmacyNews};
use domain::{EventId, OrderId, Timestamp};
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;
use tokio::time::{self, Instant};

use super::answers::PgAnswers;
use super::save::{Save, Write};
use super::{PgOrders, PgPublishedLedger};

/// A new database with empty tables.
pub(super) struct Fixture {
    pub(super) fresh: FreshDatabase,
    pub(super) database: Database,
    pub(super) orders: PgOrders,
    pub(super) outbox: PgOutbox,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&crate::TABLES, &fresh.args(), "ordering-test").unwrap();
        database.migrate().await.unwrap();
        let orders = PgOrders::new(&database, adapter_avro::encode_event);
        let outbox = PgOutbox::new(&database, 4);
        Self { fresh, database, orders, outbox }
    }

    pub(super) async fn save(&self, save: &Save) {
        let mut connection = self.database.pool().acquire().await.unwrap();
        assert_eq!(save.run(&mut connection).await.unwrap(), Write::Written);
    }

    pub(super) async fn place_order(&self) {
        let order = new_order(clock::new_order_id());
        let saved = self.orders.save(order, Cause::Unkeyed).await;
        assert!(matches!(saved, Ok(Saved::Stored(_))), "{saved:?}");
    }

    /// Cancels a saved order. Returns the id of the event.
    pub(super) async fn cancel(&self, placed: &Save) -> Uuid {
        let mut order = self.orders.find(OrderId::new(placed.order.id)).await.unwrap().unwrap();
        let event_stamp = clock::event_stamp();
        assert!(order.follow(PharmacyNews::Cancelled, event_stamp).is_applied());
        self.orders.save(order, Cause::Unkeyed).await.unwrap();
        event_stamp.event_id.get()
    }

    /// Waits until a record is due and claims all due records.
    pub(super) async fn claim(&self) -> PgClaim {
        let mut claim = None;
        eventually("a record is due", async || {
            claim = self.outbox.claim(100).await.unwrap();
            claim.is_some()
        })
        .await;
        claim.unwrap()
    }

    /// Claims and publishes one batch. Returns the ids of the events.
    pub(super) async fn relay_one(&self) -> Vec<Uuid> {
        let claim = self.claim().await;
        let events = claim.records().iter().map(|record| record.event_id.get()).collect();
        publish(claim).await;
        events
    }

    pub(super) async fn stragglers(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT reason FROM ordering.outbox_stragglers ORDER BY lane, position")
            .fetch_all(self.database.pool())
            .await
            .unwrap()
    }

    pub(super) async fn statuses(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT status FROM ordering.outbox_status ORDER BY lane, position")
            .fetch_all(self.database.pool())
            .await
            .unwrap()
    }

    /// Makes all stragglers due that wait for a retry.
    pub(super) async fn make_retries_due(&self) {
        sqlx::query(
            "UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE retry_at > now()",
        )
        .execute(self.database.pool())
        .await
        .unwrap();
    }

    /// How often partitions of the outbox were scanned, from the statistics of Postgres.
    pub(super) async fn scans(&self, kind: &str) -> i64 {
        let query = format!(
            "SELECT sum({kind})::bigint FROM pg_stat_user_tables
             WHERE schemaname = 'ordering' AND relname ~ '^outbox_([0-9]+|default)$'"
        );
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(self.database.pool()).await.unwrap()
    }

    /// Moves all events to the partition of an earlier day.
    pub(super) async fn move_all_days_back(&self, days: i32) {
        let steps = format!(
            "CREATE TEMPORARY TABLE moved AS SELECT * FROM ordering.outbox;
             DELETE FROM ordering.outbox;
             SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date - {days});
             UPDATE moved SET recorded_at = recorded_at - interval '{days} days';
             INSERT INTO ordering.outbox SELECT * FROM moved"
        );
        sqlx::raw_sql(AssertSqlSafe(steps)).execute(self.database.pool()).await.unwrap();
    }

    pub(super) async fn kill_session(&self, pid: i32) {
        let killed: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1)")
            .bind(pid)
            .fetch_one(self.database.pool())
            .await
            .unwrap();
        assert!(killed, "the session does not exist");
    }

    /// Drops all day partitions, as if housekeeping had not run for weeks.
    pub(super) async fn drop_all_days(&self) {
        let query = "SELECT relname::text FROM pg_class
                     WHERE relname ~ '^outbox_[0-9]{8}$' AND relkind = 'r'";
        let days: Vec<String> =
            sqlx::query_scalar(query).fetch_all(self.database.pool()).await.unwrap();
        assert_eq!(days.len(), 8);
        for day in days {
            let drop = format!("DROP TABLE ordering.{day}");
            sqlx::query(AssertSqlSafe(drop)).execute(self.database.pool()).await.unwrap();
        }
    }
}

impl Save {
    /// The ids of the events to append.
    pub(super) fn event_ids(&self) -> Vec<Uuid> {
        self.events.events.iter().map(|event| event.id).collect()
    }
}

/// Two orders in the same lane, not saved yet.
pub(super) fn two_orders_in_one_lane() -> (Save, Save) {
    let first = place(clock::new_order_id());
    let second = another_order_in(first.events.lane());
    (first, second)
}

/// Another order in this lane, not saved yet.
pub(super) fn another_order_in(lane: Lane) -> Save {
    place(
        std::iter::repeat_with(clock::new_order_id).find(|&id| Lane::of(id.get()) == lane).unwrap(),
    )
}

/// The save of a new order.
pub(super) fn place(id: OrderId) -> Save {
    Save::of(&new_order(id), &Cause::Unkeyed, adapter_avro::encode_event).unwrap()
}

fn new_order(id: OrderId) -> Order {
    let item = OrderItem {
        product_id: 1.try_into().unwrap(),
        quantity: 1.try_into().unwrap(),
        medication: None,
    };
    let items = OrderItems::try_from(vec![item]).unwrap();
    let new = NewOrder {
        id,
        customer_id: None,
        customer_name: "Ada".parse().unwrap(),
        items,
        note: None,
    };
    Order::place(new, clock::event_stamp())
}

pub(super) async fn publish(claim: PgClaim) {
    let verdicts = vec![Verdict::Published; claim.records().len()];
    claim.settle(&verdicts).await.unwrap();
}

/// The dead letters that wait for an operator.
pub(super) async fn open(letters: &PgOutboxDeadLetters) -> Vec<Kept<PgOutboxDeadLetters>> {
    let filter = DeadLetterFilter::default();
    let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter: &filter, after: None };
    letters.page(query, 100).await.unwrap()
}

/// Waits until a condition is true. Fails after 20 s.
pub(super) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        time::sleep(Duration::from_millis(5)).await;
    }
}

impl OrderingFixture for Fixture {
    type Orders = PgOrders;
    type Views = PgOrders;
    type Outbox = PgOutbox;
    type Answers = PgAnswers;
    type Customers = PgOrders;

    fn orders(&self) -> PgOrders {
        self.orders.clone()
    }

    fn views(&self) -> PgOrders {
        self.orders.clone()
    }

    fn outbox(&self) -> PgOutbox {
        self.outbox.clone()
    }

    fn answers(&self) -> PgAnswers {
        PgAnswers::new(&self.database)
    }

    fn customers(&self) -> PgOrders {
        self.orders.clone()
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

impl LedgerFixture for Fixture {
    type Ledger = PgPublishedLedger;

    fn ledger(&self) -> PgPublishedLedger {
        PgPublishedLedger::new(&self.database)
    }

    async fn add_event(&self, n: u32, version: u32) {
        let order = if version == 1 {
            sample::order(n)
        } else {
            let mut order = self.orders.find(sample::order_id(n)).await.unwrap().unwrap();
            assert!(
                order.follow(PharmacyNews::Cancelled, sample::event_stamp(n, version)).is_applied()
            );
            order
        };
        self.orders.save(order, Cause::Unkeyed).await.unwrap();
    }
}

impl DeadLetterFixture for Fixture {
    type DeadLetters = PgOutboxDeadLetters;

    fn dead_letter_port(&self) -> PgOutboxDeadLetters {
        PgOutboxDeadLetters::new(&self.database)
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> EventId {
        refuse_event(self, n, version, reason).await
    }

    fn unknown_id(&self) -> EventId {
        sample::event_id(u32::MAX, 1)
    }
}

impl OperatorFixture for Fixture {
    type Replay = PgReplay;
    type Backlog = PgBacklog;

    fn replay(&self) -> PgReplay {
        PgReplay::new(&self.database)
    }

    fn backlog(&self) -> PgBacklog {
        PgBacklog::new(&self.database)
    }

    async fn now(&self) -> Timestamp {
        clock::now()
    }
}
