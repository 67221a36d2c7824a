//! Several instances of each service.

use crate::eventually::eventually;
use crate::instance::Instance;

/// The instances of all services that a test has started.
pub struct Fleet {
    /// Instances of order-api.
    pub apis: Vec<Instance>,
    /// Instances of order-jobs.
    pub relays: Vec<Instance>,
    /// Instances of pharmacy-order.
    pub pharmacies: Vec<Instance>,
    /// Instances of notification.
    pub notifications: Vec<Instance>,
}

/// The number of instances of each service.
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
    /// Several of each, which share the work.
    pub const SHARED: Self = Self { apis: 2, relays: 3, pharmacies: 2, notifications: 2 };
    /// One of each.
    pub const SINGLE: Self = Self { apis: 1, relays: 1, pharmacies: 1, notifications: 1 };
}

impl Fleet {
    /// Starts the instances and waits until all are ready.
    pub async fn start(size: Size) -> Self {
        Self {
            apis: start_instances("order-api", size.apis).await,
            relays: start_instances("order-jobs", size.relays).await,
            pharmacies: start_instances("pharmacy-order", size.pharmacies).await,
            notifications: start_instances("notification", size.notifications).await,
        }
    }

    /// The URLs of order-api.
    pub fn api_urls(&self) -> Vec<String> {
        self.apis.iter().map(|api| api.url().to_owned()).collect()
    }

    /// Stops all instances gracefully.
    pub fn stop(self) {
        let Self { apis, relays, pharmacies, notifications } = self;
        for instance in apis.into_iter().chain(relays).chain(pharmacies).chain(notifications) {
            instance.stop();
        }
    }
}

/// The values of a counter of several instances.
pub async fn counters(instances: &[Instance], counter: &str) -> Vec<u64> {
    let mut values = Vec::with_capacity(instances.len());
    for instance in instances {
        values.push(instance.counter(counter).await);
    }
    values
}

/// Waits until the counter of each of these instances has increased by `by`.
pub async fn wait_until_each_counted(instances: &[Instance], counter: &str, by: u64) {
    let before = counters(instances, counter).await;
    let names: Vec<_> = instances.iter().map(Instance::name).collect();
    eventually(&format!("{counter} of each of {names:?} has increased by {by}"), async || {
        let now = counters(instances, counter).await;
        now.iter().zip(&before).all(|(now, before)| now - before >= by)
    })
    .await;
}

async fn start_instances(program: &str, number: usize) -> Vec<Instance> {
    let mut instances = Vec::with_capacity(number);
    for _ in 0..number {
        instances.push(Instance::start(program).await);
    }
    instances
}
