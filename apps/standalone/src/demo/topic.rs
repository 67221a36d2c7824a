use std::collections::HashMap;
use std::time::Duration;

use adapter_kafka::{Watch, Watched};
use runtime::StartError;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::customer::PlacedOrder;
use crate::cli::SystemArgs;
use crate::endpoints::Endpoints;

/// Reads the topic with its own consumer, from its end at the start.
pub(super) struct TopicWatch(mpsc::UnboundedReceiver<Watched>);

/// An event that was read from the topic.
#[derive(Debug, Clone, Copy)]
pub(super) struct TopicEvent {
    pub(super) version: i64,
    pub(super) arrived_at_micros: i64,
}

impl TopicWatch {
    pub(super) async fn start(
        endpoints: &Endpoints,
        args: &SystemArgs,
    ) -> Result<Self, StartError> {
        let Endpoints { kafka, schema_registry, .. } = endpoints;
        let args = args.kafka(kafka, schema_registry);
        let mut watch = Watch::start(&args, adapter_avro::SCHEMAS).await?;
        let (sender, receiver) = mpsc::unbounded_channel();
        // A task of its own reads each event when it arrives, so that the arrival time is exact.
        tokio::spawn(async move {
            while let Ok(seen) = watch.next().await {
                if sender.send(seen).is_err() {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Returns the events of each of these orders, in the sequence of their arrival. Waits until
    /// there are `expected` events, not counting repeats, or until none arrived for `patience`.
    pub(super) async fn collect(
        mut self,
        expected: usize,
        orders: &[PlacedOrder],
        patience: Duration,
    ) -> HashMap<Uuid, Vec<TopicEvent>> {
        let mut published: HashMap<Uuid, Vec<TopicEvent>> =
            orders.iter().map(|order| (order.id, Vec::new())).collect();
        let mut events = 0;
        while events < expected {
            let Ok(Some(seen)) = tokio::time::timeout(patience, self.0.recv()).await else { break };
            if let Some(of_order) = published.get_mut(&seen.published_event.order_id.get()) {
                let version = seen.published_event.order_version.get();
                let new = of_order.iter().all(|event| event.version != version);
                events += usize::from(new);
                of_order
                    .push(TopicEvent { version, arrived_at_micros: seen.arrived_at.as_micros() });
            }
        }
        published
    }
}
