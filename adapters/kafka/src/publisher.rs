mod batch;
mod outcome;
mod producer;

use std::collections::HashMap;
use std::time::Duration;

use application::one_line;
use application::relay::{Delivery, OutboxRecord, Publisher};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use self::outcome::Answer;
use self::producer::{Outgoing, Producers, REPORTED_WITHIN};
use super::cluster::Cluster;
use super::registry::Registry;
use super::settings::{lone_producer_settings, producer_settings};
use super::wire::frame;

/// Publishes what the outbox holds: frames it for the wire, dresses it as a `CloudEvent`, and waits
/// for the acknowledgement of every record.
///
/// Records are sent in batches. When Kafka rejects a batch, its records are sent again one by one:
/// only then is its answer about a record.
///
/// The wait is bounded. What was sent and not acknowledged by then is [`Delivery::Unreachable`], and
/// nothing of it is sent later behind the caller's back: a record is handed to librdkafka only while
/// there is time left for all that may become of it.
#[derive(Debug)]
pub struct KafkaPublisher {
    topic: String,
    source: &'static str,
    registry: Registry,
    /// Sends records in batches.
    together: Producers,
    /// Sends each record in a request of its own.
    alone: Producers,
}

/// Why there is no way to Kafka. An outage is none of it: clients connect in the background.
#[derive(Debug, thiserror::Error)]
#[error("the Kafka producer cannot be made")]
pub struct PublisherError(#[source] pub(super) KafkaError);

/// A schema as the registry knows it.
#[derive(Debug, Clone, Copy)]
struct Registered {
    /// The id that records carry.
    id: u32,
    /// The full name of the event's type, such as `orders.OrderCreated`.
    fullname: &'static str,
}

impl KafkaPublisher {
    /// A publisher to the topic these settings name. `source` is the context that the events come
    /// from, as CloudEvents name it: `/ordering`.
    ///
    /// # Errors
    /// When the settings are wrong.
    pub fn new(
        cluster: &Cluster,
        registry: Registry,
        source: &'static str,
    ) -> Result<Self, PublisherError> {
        let together = Producers::new(producer_settings(cluster));
        together.prepare().map_err(PublisherError)?;
        let alone = Producers::new(lone_producer_settings(cluster));
        Ok(Self { topic: cluster.topic.clone(), source, registry, together, alone })
    }

    /// As [`Self::registered`], known by a certain moment.
    async fn registered_by(
        &self,
        fingerprint: &[u8],
        end: Instant,
    ) -> Result<Registered, Delivery> {
        if Instant::now() >= end {
            return Err(Delivery::Unsent);
        }
        let unanswered =
            |_| Delivery::Unreachable("the schema registry does not answer".to_owned());
        timeout_at(end, self.registered(fingerprint)).await.map_err(unanswered)?
    }

    /// The schema a payload was written with, or what becomes of the record.
    async fn registered(&self, fingerprint: &[u8]) -> Result<Registered, Delivery> {
        let Some(schema) = self.registry.events().by_fingerprint(fingerprint) else {
            // A newer program wrote it. Once this one is replaced as well, it will be known.
            return Err(Delivery::Failed("its schema is not compiled into this relay".to_owned()));
        };
        let id = self.registry.id_of(schema, &self.topic).await;
        let registered = id.map(|id| Registered { id, fullname: schema.fullname });
        registered.map_err(|error| {
            // What it refuses is about the schema, so about every event of that type and no event's
            // own fault. Once somebody has looked after the registry, it will take it.
            Delivery::Unreachable(one_line(&error))
        })
    }
}

impl Publisher for KafkaPublisher {
    async fn publish(&self, records: &[&OutboxRecord], time_left: Duration) -> Vec<Delivery> {
        let hand_over_until = Instant::now() + time_left.saturating_sub(REPORTED_WITHIN);
        let mut ids: HashMap<&[u8], Result<Registered, Delivery>> = HashMap::new();
        for record in records {
            let fingerprint = record.schema_fingerprint.as_slice();
            if !ids.contains_key(fingerprint) {
                ids.insert(fingerprint, self.registered_by(fingerprint, hand_over_until).await);
            }
        }
        let mut deliveries: Vec<Option<Delivery>> = vec![None; records.len()];
        let mut known = Vec::with_capacity(records.len());
        for (place, record) in records.iter().enumerate() {
            match ids.get(record.schema_fingerprint.as_slice()) {
                Some(Ok(schema)) => known.push((place, *schema)),
                Some(Err(delivery)) => deliveries[place] = Some(delivery.clone()),
                None => {}
            }
        }
        self.send(records, &known, &mut deliveries, hand_over_until).await;
        let unsent = || Delivery::Unsent;
        deliveries.into_iter().map(|delivery| delivery.unwrap_or_else(unsent)).collect()
    }
}

impl KafkaPublisher {
    /// Sends the records at these places with these schema ids: together at first, and those whose
    /// batch was rejected once more, each alone.
    async fn send(
        &self,
        records: &[&OutboxRecord],
        places: &[(usize, Registered)],
        deliveries: &mut [Option<Delivery>],
        hand_over_until: Instant,
    ) {
        let outgoing =
            |&(place, schema): &(usize, Registered)| self.outgoing(records[place], schema);
        let together = places.iter().map(outgoing);
        let answers = self.together.send(&self.topic, together, hand_over_until).await;
        let mut rejected = Vec::new();
        for (&(place, schema), answer) in places.iter().zip(answers) {
            deliveries[place] = answer.in_a_batch();
            if deliveries[place].is_none() {
                rejected.push((place, schema));
            }
        }
        if rejected.is_empty() {
            return;
        }
        debug!(records = rejected.len(), "Kafka rejected a batch; sending its records one by one");
        let alone = rejected.iter().map(outgoing);
        let answers = self.alone.send(&self.topic, alone, hand_over_until).await;
        let others_are_taken = deliveries.contains(&Some(Delivery::Acknowledged))
            || answers.contains(&Answer::Acknowledged);
        for ((place, _), answer) in rejected.into_iter().zip(answers) {
            deliveries[place] = Some(answer.alone(others_are_taken));
        }
    }
}

impl KafkaPublisher {
    fn outgoing(&self, record: &OutboxRecord, schema: Registered) -> Outgoing {
        Outgoing {
            key: record.aggregate_id.to_string(),
            value: frame(schema.id, &record.payload),
            headers: headers(record, schema.fullname, self.source),
        }
    }
}

/// `CloudEvents` in binary mode: the envelope is in the headers, the value stays pure Avro.
fn headers(record: &OutboxRecord, event_type: &str, source: &str) -> OwnedHeaders {
    let id = record.event_id.to_string();
    let time = record.occurred_at.to_string();
    let subject = record.aggregate_id.to_string();
    let envelope = [
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_type", event_type),
        ("ce_source", source),
        ("ce_time", &time),
        ("ce_subject", &subject),
        ("content-type", "application/avro"),
    ];
    let carried = record.headers.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    envelope.into_iter().chain(carried).fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}
