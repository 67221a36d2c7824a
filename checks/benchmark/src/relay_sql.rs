//! The relay without Kafka: its claims and settlements, with a publisher that accepts everything.

use std::time::{Duration, Instant};

use adapter_ordering::TABLES;
use adapter_outbox::PgOutbox;
use adapter_postgres::Database;
use application::relay::{Delivery, OutboxRecord, Publisher, Step, relay_step};
use runtime::config::Secret;
use tokio::task::JoinSet;

use crate::{Failure, print_rate};

/// The numbers that order-jobs has by default.
const WORKERS: u32 = 4;
const BATCH: usize = 1000;

struct AcceptsAll;

impl Publisher for AcceptsAll {
    async fn publish(&self, records: &[&OutboxRecord], _time_left: Duration) -> Vec<Delivery> {
        vec![Delivery::Acknowledged; records.len()]
    }
}

pub(crate) async fn run(database_url: &str) -> Result<(), Failure> {
    let url = ("DATABASE_URL", Secret::from(database_url.to_owned()));
    let database = Database::at(&TABLES, url, 10, "benchmark")?;
    let outbox = PgOutbox::new(&database, WORKERS);
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let outbox = outbox.clone();
        workers.spawn(async move {
            let mut events = 0;
            while let Step::Relayed { published, .. } =
                relay_step(&outbox, &AcceptsAll, BATCH, || (), PgOutbox::claim_clock).await?
            {
                events += published;
            }
            Ok::<_, Failure>(events)
        });
    }
    let mut events = 0;
    while let Some(worker) = workers.join_next().await {
        events += worker??;
    }
    print_rate(events, begin);
    Ok(())
}
