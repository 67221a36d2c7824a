//! The least that an event needs, with the same promises: durable commits, `acks=all`, no loss.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use runtime::clock;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use crate::Failure;

/// Size of an event, about that of an order with two items.
const EVENT: [u8; 120] = [7; 120];

/// How long the last event may take.
const LAST: Duration = Duration::from_mins(2);

/// When each order was committed.
type Committed = Arc<Mutex<HashMap<Uuid, Instant>>>;

pub(crate) async fn run(
    pool: &PgPool,
    brokers: &str,
    topic: &str,
    rate: u32,
    seconds: u32,
) -> Result<(), Failure> {
    for table in [
        "CREATE TABLE IF NOT EXISTS bare_orders (id uuid PRIMARY KEY, customer text NOT NULL)",
        "CREATE TABLE IF NOT EXISTS bare_outbox (order_id uuid PRIMARY KEY, event bytea NOT NULL)",
        "CREATE TABLE IF NOT EXISTS bare_received (order_id uuid PRIMARY KEY)",
    ] {
        sqlx::query(table).execute(pool).await?;
    }
    let number = (rate * seconds) as usize;
    let committed = Committed::default();
    let received = tokio::spawn(receive(
        pool.clone(),
        consumer(brokers, topic)?,
        Arc::clone(&committed),
        number,
    ));
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "0")
        .create()?;
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut orders = JoinSet::new();
    for _ in 0..number {
        pace.tick().await;
        orders.spawn(place(pool.clone(), producer.clone(), topic.to_owned(), committed.clone()));
    }
    while let Some(order) = orders.join_next().await {
        order??;
    }
    let mut delays = received.await??.split_off(number / 5);
    delays.sort_unstable();
    let [p50, p99] = [50, 99].map(|p| delays[(delays.len() * p).div_ceil(100) - 1]);
    println!("{:.1} {:.1}", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3);
    Ok(())
}

fn consumer(brokers: &str, topic: &str) -> Result<StreamConsumer, Failure> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", topic)
        .set("auto.offset.reset", "earliest")
        // The topic was just created; a broker may not know it yet.
        .set("topic.metadata.refresh.interval.ms", "1000")
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// Commits an order and its event, then publishes the event.
async fn place(
    pool: PgPool,
    producer: FutureProducer,
    topic: String,
    committed: Committed,
) -> Result<(), Failure> {
    let id = Uuid::from_u128(clock::random());
    let mut transaction = pool.begin().await?;
    sqlx::query("INSERT INTO bare_orders VALUES ($1, 'Ada Lovelace')")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO bare_outbox VALUES ($1, $2)")
        .bind(id)
        .bind(EVENT)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    committed.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now());
    let record = FutureRecord::to(&topic).key(id.as_bytes()).payload(&EVENT);
    producer.send(record, LAST).await.map_err(|(error, _)| error)?;
    Ok(())
}

/// Commits a row for each event. Returns the delays since the commits of the orders.
async fn receive(
    pool: PgPool,
    consumer: StreamConsumer,
    committed: Committed,
    number: usize,
) -> Result<Vec<Duration>, Failure> {
    let mut rows = JoinSet::new();
    for _ in 0..number {
        let message = timeout(LAST, consumer.recv()).await??;
        let id = Uuid::from_slice(message.key().unwrap_or_default())?;
        let (pool, committed) = (pool.clone(), Arc::clone(&committed));
        rows.spawn(async move {
            sqlx::query("INSERT INTO bare_received VALUES ($1)").bind(id).execute(&pool).await?;
            let committed = committed.lock().unwrap_or_else(PoisonError::into_inner);
            Ok::<_, Failure>(committed[&id].elapsed())
        });
    }
    let mut delays = Vec::with_capacity(number);
    while let Some(delay) = rows.join_next().await {
        delays.push(delay??);
    }
    Ok(delays)
}
