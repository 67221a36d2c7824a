use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use adapter_kafka::Watch;
use application::event_format::EventSchemas;
use runtime::config::KafkaArgs;
use test_support::eventually;

use crate::client::Confirmed;
use crate::external_services::ExternalServices;

/// The events in a topic, read by a consumer of its own.
pub(crate) struct Topic(Arc<Mutex<Vec<SeenEvent>>>);

/// The topics of ordering and of the pharmacy.
pub(crate) struct Topics {
    pub(crate) ordering: Topic,
    pub(crate) pharmacy: Topic,
}

struct SeenEvent {
    event: String,
    order: String,
    version: usize,
}

impl Topics {
    pub(crate) async fn watch(external: &ExternalServices) -> Self {
        let (ordering, pharmacy) = (external.kafka_args(), external.pharmacy_kafka_args());
        Self {
            ordering: Topic::watch(&ordering, adapter_avro::ORDERING).await,
            pharmacy: Topic::watch(&pharmacy, adapter_avro::PHARMACY).await,
        }
    }

    /// Waits until all events of these orders are in both topics, and checks that the versions of each
    /// order are in sequence. Repeats are allowed.
    pub(crate) async fn assert_in_order(&self, orders: &[Confirmed]) {
        self.ordering.assert_in_order(orders, |order| order.events).await;
        self.pharmacy.assert_in_order(orders, |order| order.pharmacy_events).await;
    }

    /// The ids of the events that were published more than once.
    pub(crate) fn repeated(&self) -> Vec<String> {
        let [ordering, pharmacy] = [&self.ordering, &self.pharmacy].map(Topic::counts);
        let repeated = ordering.into_iter().chain(pharmacy).filter(|(_, count)| *count > 1);
        repeated.map(|(event, _)| event).collect()
    }
}

impl Topic {
    async fn watch<P: Send + Sync + 'static>(args: &KafkaArgs, schemas: EventSchemas<P>) -> Self {
        let mut watch = Watch::start(args, schemas).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let collected = seen.clone();
        tokio::spawn(async move {
            loop {
                let event = watch.next().await.expect("the topic can be watched").published_event;
                collected.lock().unwrap().push(SeenEvent {
                    event: event.event_id.to_string(),
                    order: event.order_id.to_string(),
                    version: usize::try_from(event.version.get()).unwrap(),
                });
            }
        });
        Self(seen)
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    async fn assert_in_order(&self, orders: &[Confirmed], versions: fn(&Confirmed) -> usize) {
        let events: usize = orders.iter().map(versions).sum();
        eventually("all events are in the topic", async || self.counts().len() >= events).await;
        let mut latest: HashMap<String, usize> = HashMap::new();
        for SeenEvent { order, version, .. } in self.0.lock().unwrap().iter() {
            let latest = latest.entry(order.clone()).or_default();
            assert!(*version <= *latest + 1, "{order}: {version} came after {latest}");
            *latest = (*latest).max(*version);
        }
        for order in orders {
            let latest = latest.get(&order.id).copied().unwrap_or_default();
            assert_eq!(latest, versions(order), "{order:?}");
        }
    }

    /// The number of records of each event.
    fn counts(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for seen in self.0.lock().unwrap().iter() {
            *counts.entry(seen.event.clone()).or_default() += 1;
        }
        counts
    }
}
