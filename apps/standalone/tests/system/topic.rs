use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use adapter_kafka::Watch;
use runtime::config::KafkaArgs;
use test_support::eventually;

use crate::client::Confirmed;

/// The events in the topic, read by a consumer of its own.
pub(crate) struct Topic(Arc<Mutex<Vec<SeenEvent>>>);

struct SeenEvent {
    event: String,
    order: String,
    version: usize,
}

impl Topic {
    pub(crate) async fn watch(args: &KafkaArgs) -> Self {
        let mut watch = Watch::start(args, adapter_avro::SCHEMAS).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let collected = seen.clone();
        tokio::spawn(async move {
            loop {
                let event = watch.next().await.expect("the topic can be watched").published_event;
                collected.lock().unwrap().push(SeenEvent {
                    event: event.event_id.to_string(),
                    order: event.order_id.to_string(),
                    version: usize::try_from(event.order_version.get()).unwrap(),
                });
            }
        });
        Self(seen)
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits until all events of these orders are in the topic, and checks that the versions of
    /// each order are in sequence. Repeats are allowed.
    pub(crate) async fn assert_in_order(&self, orders: &[Confirmed]) {
        let events: usize = orders.iter().map(|order| order.events).sum();
        eventually("all events are in the topic", async || self.counts().len() >= events).await;
        let mut latest: HashMap<String, usize> = HashMap::new();
        for SeenEvent { order, version, .. } in self.0.lock().unwrap().iter() {
            let latest = latest.entry(order.clone()).or_default();
            assert!(*version <= *latest + 1, "{order}: {version} came after {latest}");
            *latest = (*latest).max(*version);
        }
        for Confirmed { id, events } in orders {
            assert_eq!(latest.get(id), Some(events), "{id}");
        }
    }

    /// The number of records of each event.
    pub(crate) fn counts(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for seen in self.0.lock().unwrap().iter() {
            *counts.entry(seen.event.clone()).or_default() += 1;
        }
        counts
    }
}
