//! Several instances of each service.

use crate::eventually::eventually;
use crate::instance::Instance;

/// The instances of every service that one test has started.
pub struct Fleet {
    /// Where orders are placed.
    pub apis: Vec<Instance>,
    /// What carries events from the outbox to Kafka.
    pub relays: Vec<Instance>,
    /// The members of `pharmacy-order-group`.
    pub pharmacies: Vec<Instance>,
    /// The members of `notification-group`.
    pub notifications: Vec<Instance>,
}

/// How many instances of each service to start.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Of order-api.
    pub apis: usize,
    /// Of order-jobs.
    pub relays: usize,
    /// Of pharmacy-order.
    pub pharmacies: usize,
    /// Of notification.
    pub notifications: usize,
}

impl Size {
    /// Enough of each for them to have to share.
    pub const SHARED: Self = Self { apis: 2, relays: 3, pharmacies: 2, notifications: 2 };
    /// One of each.
    pub const SINGLE: Self = Self { apis: 1, relays: 1, pharmacies: 1, notifications: 1 };
}

impl Fleet {
    /// Starts the instances, and waits until all are ready.
    pub async fn start(size: Size) -> Self {
        Self {
            apis: several("order-api", size.apis).await,
            relays: several("order-jobs", size.relays).await,
            pharmacies: several("pharmacy-order", size.pharmacies).await,
            notifications: several("notification", size.notifications).await,
        }
    }

    /// Where orders can be placed.
    pub fn counters(&self) -> Vec<String> {
        self.apis.iter().map(|api| api.url().to_owned()).collect()
    }

    /// Stops all of them in an orderly way.
    pub fn stop(self) {
        let Self { apis, relays, pharmacies, notifications } = self;
        for instance in apis.into_iter().chain(relays).chain(pharmacies).chain(notifications) {
            instance.stop();
        }
    }
}

/// What a counter of several instances has come to, one by one.
pub async fn counts(instances: &[Instance], counter: &str) -> Vec<u64> {
    let mut counts = Vec::with_capacity(instances.len());
    for instance in instances {
        counts.push(instance.counts(counter).await);
    }
    counts
}

/// Waits until each of these instances has counted so many more than it has now.
pub async fn each_counts_more(instances: &[Instance], counter: &str, by: u64) {
    let before = counts(instances, counter).await;
    let names: Vec<_> = instances.iter().map(Instance::name).collect();
    eventually(&format!("each of {names:?} counts {by} more {counter}"), async || {
        let now = counts(instances, counter).await;
        now.iter().zip(&before).all(|(now, before)| now - before >= by)
    })
    .await;
}

async fn several(program: &str, number: usize) -> Vec<Instance> {
    let mut instances = Vec::with_capacity(number);
    for _ in 0..number {
        instances.push(Instance::start(program).await);
    }
    instances
}
