use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Client;
use crate::latencies::Latencies;

/// The response times by status.
pub(crate) type Answers = BTreeMap<u16, Latencies>;

/// The schedule of the orders. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    rate: Option<u64>,
    next: Arc<AtomicU64>,
    begin: Instant,
    end: Instant,
}

impl Pace {
    /// A schedule with `rate` orders per second. Without a rate, the next order is always due at
    /// once.
    pub(crate) fn new(rate: Option<u64>, begin: Instant, time: Duration) -> Self {
        Self { rate, next: Arc::default(), begin, end: begin + time }
    }

    /// When the next order is due. `None` after the end.
    fn next(&self) -> Option<Instant> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = match self.rate {
            Some(rate) => self.begin + Duration::from_micros(number * 1_000_000 / rate),
            None => Instant::now(),
        };
        (due < self.end).then_some(due)
    }
}

/// Places orders by this schedule. The response time begins when the order is due, even if no
/// connection is free then. Otherwise a slow answer would delay later orders and hide their waiting
/// time (coordinated omission).
pub(crate) async fn place(server: SocketAddr, connections: u64, pace: Pace) -> Answers {
    let clients = (0..connections).map(|_| place_orders(Client::new(server), pace.clone()));
    let mut answers = Answers::new();
    for client_answers in clients.collect::<JoinSet<_>>().join_all().await {
        for (status, latencies) in client_answers {
            answers.entry(status).or_default().append(latencies);
        }
    }
    answers
}

async fn place_orders(mut client: Client, pace: Pace) -> Answers {
    let mut answers = Answers::new();
    while let Some(due) = pace.next() {
        // Even if it is due at once, a sleep would take up to a millisecond.
        if due > Instant::now() {
            sleep_until(due).await;
        }
        let status = client.place_order().await.map_or(0, |status| status.as_u16());
        answers.entry(status).or_default().add(due.elapsed());
    }
    answers
}
