use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use adapter_kafka::Watch;
use runtime::config::KafkaArgs;

use crate::client::{Confirmed, eventually};

/// What came into the topic, as an outsider sees it.
pub(crate) struct Topic(Arc<Mutex<Vec<Told>>>);

struct Told {
    event: String,
    order: String,
    version: usize,
}

impl Topic {
    pub(crate) async fn watch(args: &KafkaArgs) -> Self {
        let mut watch = Watch::start(args, adapter_avro::SCHEMAS).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        tokio::spawn(async move {
            loop {
                let told = watch.next().await.expect("the topic can be watched").published_event;
                noted.lock().unwrap().push(Told {
                    event: told.event_id.to_string(),
                    order: told.order_id.to_string(),
                    version: usize::try_from(told.order_version.get()).unwrap(),
                });
            }
        });
        Self(seen)
    }

    /// How many records have come.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits until all events of these orders have come, and checks that each order's versions
    /// came one after the other; only repeats may lie between them.
    pub(crate) async fn tells_in_order(&self, orders: &[Confirmed]) {
        let events: usize = orders.iter().map(|order| order.events).sum();
        eventually("all events are in the topic", async || self.times().len() >= events).await;
        let mut latest: HashMap<String, usize> = HashMap::new();
        for Told { order, version, .. } in self.0.lock().unwrap().iter() {
            let latest = latest.entry(order.clone()).or_default();
            assert!(*version <= *latest + 1, "{order}: {version} came after {latest}");
            *latest = (*latest).max(*version);
        }
        for Confirmed { id, events } in orders {
            assert_eq!(latest.get(id), Some(events), "{id}");
        }
    }

    /// How often each event came.
    pub(crate) fn times(&self) -> HashMap<String, usize> {
        let mut times = HashMap::new();
        for told in self.0.lock().unwrap().iter() {
            *times.entry(told.event.clone()).or_default() += 1;
        }
        times
    }
}
