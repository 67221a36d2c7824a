//! Model-based test of the whole outbox protocol.
//!
//! Writers are slow, roll back and change the same orders. Relays fail and crash. A model knows
//! which events were committed.

mod model;
mod relay;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use adapter_outbox::PgOutbox;
use adapter_postgres::Database;
use runtime::config::DatabaseArgs;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use self::model::{Dice, Model};
use super::{Fixture, eventually};

const WRITERS: u64 = 8;
const RELAYS: u64 = 3;
const EVENTS: usize = 2_000;
const WRITING: Duration = Duration::from_mins(1);
const DRAINING: Duration = Duration::from_mins(1);
const SEED: u64 = 0x0dde_5eed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_invented_or_overtaken_with_slow_writers_and_crashing_relays() {
    let fixture = Fixture::new().await;
    let args = DatabaseArgs { database_max_connections: 16, ..fixture.fresh.args() };
    let database = Database::new(&crate::TABLES, &args, "protocol-test").unwrap();
    let model = Arc::new(Model::default());

    let mut writers = JoinSet::new();
    let end = Instant::now() + WRITING;
    for number in 0..WRITERS {
        let dice = Dice::new(SEED + number);
        writers.spawn(writer::write_until(EVENTS, end, database.clone(), Arc::clone(&model), dice));
    }
    let mut relays = JoinSet::new();
    for number in 0..RELAYS {
        let outbox = PgOutbox::new(&database, 1);
        let dice = Dice::new(SEED + 100 + number);
        relays.spawn(relay::run_relay(outbox, Arc::clone(&model), dice));
    }
    relays.spawn(retry_at_once(database.clone()));

    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let deadline = Instant::now() + DRAINING;
    while !is_drained(&database).await {
        assert!(Instant::now() < deadline, "not drained: {:?}", unprocessed(&database).await);
        if let Some(ended) = relays.try_join_next() {
            ended.unwrap();
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    relays.shutdown().await;

    let dead: Vec<sqlx::types::Uuid> =
        sqlx::query_scalar("SELECT event_id FROM ordering.outbox_dead_letters")
            .fetch_all(database.pool())
            .await
            .unwrap();
    let gaps: i64 = sqlx::query_scalar(
        "SELECT (sum(through) - (SELECT count(*) FROM ordering.outbox))::bigint
         FROM ordering.outbox_lanes",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    model.verify(&dead, gaps);
    eventually("the statistics show that wide gaps were recorded", async || {
        wide_gaps(&database).await > 0
    })
    .await;
}

/// How many wide gaps were recorded, from the statistics of Postgres.
async fn wide_gaps(database: &Database) -> i64 {
    let query = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'outbox_gaps'";
    sqlx::query_scalar(query).fetch_one(database.pool()).await.unwrap()
}

/// Whether every event is processed or dead, and no straggler or gap is left.
async fn is_drained(database: &Database) -> bool {
    let query = "SELECT NOT EXISTS (SELECT FROM ordering.outbox_stragglers)
                    AND NOT EXISTS (SELECT FROM ordering.outbox_gaps)
                    AND NOT EXISTS (SELECT FROM ordering.outbox_status
                                    WHERE status NOT IN ('processed', 'dead'))";
    sqlx::query_scalar(query).fetch_one(database.pool()).await.unwrap()
}

async fn unprocessed(database: &Database) -> Vec<(i16, i64, String)> {
    let query = "SELECT lane, position, reason FROM ordering.outbox_stragglers
                 UNION ALL SELECT lane, first_position, 'gap' FROM ordering.outbox_gaps
                 UNION ALL SELECT lane, position, status FROM ordering.outbox_status
                 WHERE status NOT IN ('processed', 'dead') LIMIT 50";
    sqlx::query_as(query).fetch_all(database.pool()).await.unwrap()
}

/// Makes failed events due at once. Otherwise the delays after failures would take minutes.
async fn retry_at_once(database: Database) {
    loop {
        sqlx::query(
            "UPDATE ordering.outbox_stragglers SET retry_at = now() WHERE retry_at > now()",
        )
        .execute(database.pool())
        .await
        .unwrap();
        time::sleep(Duration::from_millis(100)).await;
    }
}
