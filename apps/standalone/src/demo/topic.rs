use std::collections::{HashMap, HashSet};
use std::time::Duration;

use adapter_kafka::{Watch, Watched};
use application::event_format::EventSchemas;
use runtime::StartError;
use runtime::config::KafkaArgs;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Reads a topic with its own consumer, from its end at the start.
pub(super) struct TopicWatch(mpsc::UnboundedReceiver<(Uuid, TopicEvent)>);

/// An event that was read from a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TopicEvent {
    pub(super) event_id: Uuid,
    pub(super) version: i64,
    pub(super) arrived_at_micros: i64,
}

/// The events of each order in a topic, in the sequence of their arrival.
pub(super) type EventsByOrder = HashMap<Uuid, Vec<TopicEvent>>;

impl TopicWatch {
    pub(super) async fn start<P: Send + Sync + 'static>(
        args: &KafkaArgs,
        schemas: EventSchemas<P>,
    ) -> Result<Self, StartError> {
        let mut watch = Watch::start(args, schemas).await?;
        let (sender, receiver) = mpsc::unbounded_channel();
        // A task of its own reads each event when it arrives, so that the arrival time is exact.
        tokio::spawn(async move {
            while let Ok(Watched { published_event, arrived_at }) = watch.next().await {
                let event = TopicEvent {
                    event_id: published_event.event_id.get(),
                    version: published_event.version.get(),
                    arrived_at_micros: arrived_at.as_micros(),
                };
                if sender.send((published_event.order_id.get(), event)).is_err() {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Returns the events of each of these orders. Waits until each order has this number of
    /// versions, or until no event arrived for `patience`.
    pub(super) async fn collect(
        mut self,
        expected: &HashMap<Uuid, usize>,
        patience: Duration,
    ) -> EventsByOrder {
        let mut published: EventsByOrder = expected.keys().map(|id| (*id, Vec::new())).collect();
        let mut missing: usize = expected.values().sum();
        let mut known = HashSet::new();
        loop {
            // What has arrived already is read in any case: it may be too much.
            let next = match self.0.try_recv() {
                Err(_) if missing == 0 => return published,
                Err(_) => tokio::time::timeout(patience, self.0.recv()).await.ok().flatten(),
                Ok(event) => Some(event),
            };
            let Some((order, event)) = next else { return published };
            if let Some(of_order) = published.get_mut(&order) {
                of_order.push(event);
                if known.insert((order, event.version)) {
                    missing = missing.saturating_sub(1);
                }
            }
        }
    }
}
