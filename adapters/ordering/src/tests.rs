//! Ordering's tables on a real Postgres: the contract suites, and the rules of the outbox.

mod adopting;
mod checking;
mod claims;
mod clocks;
mod contract;
mod gaps;
mod migrating;
mod protocol;
mod reconciling;
mod records;
mod saving;
mod topics;
mod upkeep;
mod waking;

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
use domain::ordering::{NewOrder, Order, OrderItem, OrderItems};
use domain::{EventId, OrderId, Timestamp};
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;
use tokio::time::{self, Instant};

use super::save::{Save, Write};
use super::{PgOrders, PgPublishedLedger, migrate};

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
        let database = crate::database(&fresh.args(), "ordering-test").unwrap();
        migrate(&database).await.unwrap();
        let orders = PgOrders::new(&database, adapter_avro::encode_event);
        let outbox = PgOutbox::new(&database, 4);
        Self { fresh, database, orders, outbox }
    }

    pub(super) async fn save(&self, save: &Save) {
        let mut connection = self.database.pool().acquire().await.unwrap();
        assert_eq!(save.run(&mut connection).await.unwrap(), Write::Written);
    }

    pub(super) async fn place_through_the_port(&self) {
        let order = new_order(clock::new_order_id());
        let saved = self.orders.save(order, Cause::Unkeyed).await;
        assert!(matches!(saved, Ok(Saved::Stored(_))), "{saved:?}");
    }

    /// Cancels an order that was saved; gives the id of the event.
    pub(super) async fn cancel(&self, placed: &Save) -> Uuid {
        let mut order = self.orders.find(OrderId::new(placed.order.id)).await.unwrap().unwrap();
        let event_stamp = clock::event_stamp();
        assert!(order.cancel("no need".parse().unwrap(), event_stamp).is_applied());
        self.orders.save(order, Cause::Unkeyed).await.unwrap();
        event_stamp.event_id.get()
    }

    /// Waits for something to be due and claims it.
    pub(super) async fn claim(&self) -> PgClaim {
        let mut claim = None;
        eventually("something is due", async || {
            claim = self.outbox.claim(100).await.unwrap();
            claim.is_some()
        })
        .await;
        claim.unwrap()
    }

    /// Claims once and publishes; gives the events.
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

    /// The waits after failures are over.
    pub(super) async fn end_all_waits(&self) {
        sqlx::query(
            "UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE retry_at > now()",
        )
        .execute(self.database.pool())
        .await
        .unwrap();
    }

    /// How often partitions of the outbox were read, by the statistics.
    pub(super) async fn scans(&self, kind: &str) -> i64 {
        let query = format!(
            "SELECT sum({kind})::bigint FROM pg_stat_user_tables
             WHERE schemaname = 'ordering' AND relname ~ '^outbox_([0-9]+|default)$'"
        );
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(self.database.pool()).await.unwrap()
    }

    /// As if all that was recorded had been recorded so many days ago.
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
        assert!(killed, "there was no such session");
    }

    /// As if housekeeping had slept for weeks.
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
    /// The ids of the events that it appends.
    pub(super) fn event_ids(&self) -> Vec<Uuid> {
        self.events.events.iter().map(|event| event.id).collect()
    }
}

/// Two orders not saved yet, in the same lane.
pub(super) fn two_orders_of_one_lane() -> (Save, Save) {
    let first = place(clock::new_order_id());
    let second = another_order_of(first.events.lane());
    (first, second)
}

/// One more order of a lane.
pub(super) fn another_order_of(lane: Lane) -> Save {
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
    let new = NewOrder { id, customer_name: "Ada".parse().unwrap(), items, note: None };
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

/// Waits until something is so.
pub(super) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "in vain: {what}");
        time::sleep(Duration::from_millis(5)).await;
    }
}

impl OrderingFixture for World {
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

impl LedgerFixture for World {
    type Ledger = PgPublishedLedger;

    fn ledger(&self) -> PgPublishedLedger {
        PgPublishedLedger::new(&self.database)
    }

    async fn add_event(&self, n: u32, version: u32) {
        let order = if version == 1 {
            sample::order(n)
        } else {
            let mut order = self.orders.find(sample::order_id(n)).await.unwrap().unwrap();
            assert!(order.cancel(sample::reason(), sample::event_stamp(n, version)).is_applied());
            order
        };
        self.orders.save(order, Cause::Unkeyed).await.unwrap();
    }
}

impl DeadLetterFixture for World {
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

impl OperatorFixture for World {
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
