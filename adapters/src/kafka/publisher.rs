mod batch;
mod outcome;
mod producer;

use std::collections::HashMap;

use application::relay::{Delivery, OutboxRecord, Publisher};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};

use self::producer::{Outgoing, Producers};
use super::cluster::Cluster;
use super::registry::Registry;
use super::settings::producer_settings;
use super::wire::frame;
use crate::{avro, one_line};

/// Publishes what the outbox holds: frames it for the wire, dresses it as a `CloudEvent`, and waits
/// for the acknowledgement of every record.
///
/// The wait is bounded. What was not acknowledged by then is [`Delivery::Unreachable`], and nothing
/// of it is sent later behind the caller's back.
#[derive(Debug)]
pub struct KafkaPublisher {
    topic: String,
    registry: Registry,
    producers: Producers,
}

/// Why there is no way to Kafka. An outage is none of it: clients connect in the background.
#[derive(Debug, thiserror::Error)]
#[error("the Kafka producer cannot be made")]
pub struct PublisherError(#[source] pub(super) KafkaError);

impl KafkaPublisher {
    /// A publisher to the topic these settings name.
    ///
    /// # Errors
    /// When the settings are wrong.
    pub fn new(cluster: &Cluster, registry: Registry) -> Result<Self, PublisherError> {
        let producers = Producers::new(producer_settings(cluster)).map_err(PublisherError)?;
        Ok(Self { topic: cluster.topic.clone(), registry, producers })
    }

    /// The registry's id of the schema a payload was written with, or what becomes of the record.
    async fn schema_id(&self, fingerprint: &[u8]) -> Result<u32, Delivery> {
        let Some(schema) = avro::by_fingerprint(fingerprint) else {
            // A newer program wrote it. Once this one is replaced as well, it will be known.
            return Err(Delivery::Failed("its schema is not compiled into this relay".to_owned()));
        };
        self.registry.id_of(schema, &self.topic).await.map_err(|error| {
            // What it refuses is about the schema, so about every event of that type and no event's
            // own fault. Once somebody has looked after the registry, it will take it.
            Delivery::Unreachable(one_line(&error))
        })
    }
}

impl Publisher for KafkaPublisher {
    async fn publish(&self, records: &[&OutboxRecord]) -> Vec<Delivery> {
        let mut ids: HashMap<&[u8], Result<u32, Delivery>> = HashMap::new();
        for record in records {
            let fingerprint = record.schema_fingerprint.as_slice();
            if !ids.contains_key(fingerprint) {
                ids.insert(fingerprint, self.schema_id(fingerprint).await);
            }
        }
        let mut deliveries: Vec<Option<Delivery>> = vec![None; records.len()];
        let mut places = Vec::with_capacity(records.len());
        let mut outgoing = Vec::with_capacity(records.len());
        for (place, record) in records.iter().enumerate() {
            match ids.get(record.schema_fingerprint.as_slice()) {
                Some(Ok(id)) => {
                    places.push(place);
                    outgoing.push(Outgoing {
                        key: record.order_id.to_string(),
                        value: frame(*id, &record.payload),
                        headers: headers(record),
                    });
                }
                Some(Err(delivery)) => deliveries[place] = Some(delivery.clone()),
                None => {}
            }
        }
        let sent = self.producers.send(&self.topic, outgoing).await;
        for (place, delivery) in places.into_iter().zip(sent) {
            deliveries[place] = Some(delivery);
        }
        let unsent = || Delivery::Unreachable("it was not sent".to_owned());
        deliveries.into_iter().map(|delivery| delivery.unwrap_or_else(unsent)).collect()
    }
}

/// `CloudEvents` in binary mode: the envelope is in the headers, the value stays pure Avro.
fn headers(record: &OutboxRecord) -> OwnedHeaders {
    let id = record.event_id.to_string();
    let event_type = format!("orders.{}", record.event_type);
    let time = record.occurred_at.to_string();
    let subject = record.order_id.to_string();
    let envelope = [
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_type", &event_type),
        ("ce_source", "/ordering"),
        ("ce_time", &time),
        ("ce_subject", &subject),
        ("content-type", "application/avro"),
    ];
    let carried = record.headers.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    envelope.into_iter().chain(carried).fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}
