use std::collections::HashMap;
use std::time::Duration;

use adapter_kafka::{Watch, Watched};
use runtime::StartError;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::customer::PlacedOrder;
use crate::cli::WorldArgs;
use crate::endpoints::Endpoints;

/// Watches the topic as an outsider would, from before the first order on.
pub(super) struct TopicWatch(mpsc::UnboundedReceiver<Watched>);

/// An event that was seen in the topic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) version: i64,
    pub(super) arrived_at_micros: i64,
}

impl TopicWatch {
    pub(super) async fn start(
        endpoints: &Endpoints,
        world: &WorldArgs,
    ) -> Result<Self, StartError> {
        let Endpoints { kafka, schema_registry, .. } = endpoints;
        let args = world.kafka(kafka, schema_registry);
        let mut watch = Watch::start(&args, adapter_avro::SCHEMAS).await?;
        let (sender, receiver) = mpsc::unbounded_channel();
        // Looked at as they come, so that the time of their arrival is right.
        tokio::spawn(async move {
            while let Ok(seen) = watch.next().await {
                if sender.send(seen).is_err() {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// What the topic tells about these orders, each order's events as they came. Returns once
    /// `expected` events are there, or nothing new has come for `patience`.
    pub(super) async fn collect(
        mut self,
        expected: usize,
        orders: &[PlacedOrder],
        patience: Duration,
    ) -> HashMap<Uuid, Vec<Told>> {
        let mut told: HashMap<Uuid, Vec<Told>> =
            orders.iter().map(|order| (order.id, Vec::new())).collect();
        let mut events = 0;
        while events < expected {
            let Ok(Some(seen)) = tokio::time::timeout(patience, self.0.recv()).await else { break };
            if let Some(of_order) = told.get_mut(&seen.published_event.order_id.get()) {
                let version = seen.published_event.order_version.get();
                let new = of_order.iter().all(|told| told.version != version);
                events += usize::from(new);
                of_order.push(Told { version, arrived_at_micros: seen.arrived_at.as_micros() });
            }
        }
        told
    }
}
