use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Client;
use crate::latencies::Latencies;

/// How long the answers of each status took.
pub(crate) type Answers = BTreeMap<u16, Latencies>;

/// When the orders are due. Clones share the orders among them.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    rate: Option<u64>,
    next: Arc<AtomicU64>,
    begin: Instant,
    end: Instant,
}

impl Pace {
    /// So many a second for this time; without a rate, as many as are answered.
    pub(crate) fn new(rate: Option<u64>, begin: Instant, time: Duration) -> Self {
        Self { rate, next: Arc::default(), begin, end: begin + time }
    }

    /// When the next order is due; none once the time is over.
    fn next(&self) -> Option<Instant> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = match self.rate {
            Some(rate) => self.begin + Duration::from_micros(number * 1_000_000 / rate),
            None => Instant::now(),
        };
        (due < self.end).then_some(due)
    }
}

/// Places orders at this pace until its end. An answer's time counts from the moment the order was due, also when all
/// connections were busy then: a slow answer is not allowed to make the customers behind it come later.
pub(crate) async fn place(server: SocketAddr, connections: u64, pace: Pace) -> Answers {
    let customers = (0..connections).map(|_| customer(Client::new(server), pace.clone()));
    let mut answers = Answers::new();
    for of_one in customers.collect::<JoinSet<_>>().join_all().await {
        for (status, latencies) in of_one {
            answers.entry(status).or_default().append(latencies);
        }
    }
    answers
}

async fn customer(mut client: Client, pace: Pace) -> Answers {
    let mut answers = Answers::new();
    while let Some(due) = pace.next() {
        sleep_until(due).await;
        let status = client.place_order().await.map_or(0, |status| status.as_u16());
        answers.entry(status).or_default().add(due.elapsed());
    }
    answers
}
