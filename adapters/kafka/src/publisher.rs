mod batch;
mod error_codes;
mod producer;
mod send_result;

use std::collections::HashMap;
use std::time::Duration;

use application::event_format::{PublishedSchema, by_fingerprint};
use application::one_line;
use application::relay::{Delivery, OutboxRecord, Publisher};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use self::producer::{OutgoingRecord, REPORT_TIMEOUT, ReplaceableProducer};
use self::send_result::SendResult;
use super::cluster::Cluster;
use super::registry::{Registry, RegistryError};
use super::settings::{producer_settings, single_record_producer_settings};
use super::wire::frame;

/// Publishes records of the outbox to Kafka, in the Confluent wire format with `CloudEvents`
/// headers.
///
/// Records are sent in batches. If Kafka rejects a batch, its records are sent again one by one,
/// because only then is the error about a single record.
///
/// The time is bounded. A record that is sent but not acknowledged in time is
/// [`Delivery::Unreachable`]. No record is sent after `publish` has returned: a record is passed to
/// librdkafka only if its result will be known in time.
#[derive(Debug)]
pub struct KafkaPublisher {
    topic: String,
    source: &'static str,
    registry: Registry,
    /// The schemas of the events, oldest version first.
    released: &'static [PublishedSchema],
    /// Sends records in batches.
    batched: ReplaceableProducer,
    /// Sends each record in its own request.
    single: ReplaceableProducer,
}

/// The producer could not be created. Outages are not errors here: clients connect in the
/// background.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the Kafka producer")]
pub struct PublisherError(#[source] pub(super) KafkaError);

/// A registered schema.
#[derive(Debug, Clone, Copy)]
struct Registered {
    /// The id that records carry.
    id: u32,
    /// The full name of the event's type, such as `orders.OrderCreated`.
    fullname: &'static str,
}

impl KafkaPublisher {
    /// A publisher to the topic of these settings. `source` is the context that the events come from,
    /// as in CloudEvents: `/ordering`. `released` are the schemas of its events.
    ///
    /// # Errors
    /// When the settings are wrong.
    pub fn new(
        cluster: &Cluster,
        registry: Registry,
        source: &'static str,
        released: &'static [PublishedSchema],
    ) -> Result<Self, PublisherError> {
        let batched = ReplaceableProducer::new(producer_settings(cluster));
        batched.create_first().map_err(PublisherError)?;
        let single = ReplaceableProducer::new(single_record_producer_settings(cluster));
        Ok(Self { topic: cluster.topic.clone(), source, registry, released, batched, single })
    }

    /// Gets the ids of the newest schema of each type of event, so that the first event does not have to
    /// wait for them.
    ///
    /// # Errors
    /// When the registry is unavailable, or refuses a schema.
    pub async fn register_schemas(&self) -> Result<(), RegistryError> {
        for (index, schema) in self.released.iter().enumerate() {
            let later = &self.released[index + 1..];
            if !later.iter().any(|other| other.event_type == schema.event_type) {
                self.registry.id_of(schema, &self.topic).await?;
            }
        }
        Ok(())
    }

    /// Like [`Self::registered`], with a deadline.
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

    /// The schema with this fingerprint as it is registered, or the delivery of its records if the
    /// registry gives no id.
    async fn registered(&self, fingerprint: &[u8]) -> Result<Registered, Delivery> {
        let Some(schema) = by_fingerprint(self.released, fingerprint) else {
            // A newer version of the program wrote it. It can be published after an upgrade.
            return Err(Delivery::Failed("its schema is not compiled into this relay".to_owned()));
        };
        let id = self.registry.id_of(schema, &self.topic).await;
        let registered = id.map(|id| Registered { id, fullname: schema.fullname });
        registered.map_err(|error| {
            // A refused schema affects every event of that type. It is an outage until an operator
            // has fixed the registry, not a failure of a record.
            Delivery::Unreachable(one_line(&error))
        })
    }
}

impl Publisher for KafkaPublisher {
    async fn publish(&self, records: &[&OutboxRecord], time_left: Duration) -> Vec<Delivery> {
        let enqueue_deadline = Instant::now() + time_left.saturating_sub(REPORT_TIMEOUT);
        let mut schemas: HashMap<&[u8], Result<Registered, Delivery>> = HashMap::new();
        for record in records {
            let fingerprint = record.schema_fingerprint.as_slice();
            if !schemas.contains_key(fingerprint) {
                schemas
                    .insert(fingerprint, self.registered_by(fingerprint, enqueue_deadline).await);
            }
        }
        let mut deliveries: Vec<Option<Delivery>> = vec![None; records.len()];
        let mut known = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            match schemas.get(record.schema_fingerprint.as_slice()) {
                Some(Ok(schema)) => known.push((index, *schema)),
                Some(Err(delivery)) => deliveries[index] = Some(delivery.clone()),
                None => {}
            }
        }
        self.send(records, &known, &mut deliveries, enqueue_deadline).await;
        let unsent = || Delivery::Unsent;
        deliveries.into_iter().map(|delivery| delivery.unwrap_or_else(unsent)).collect()
    }
}

impl KafkaPublisher {
    /// Sends the records at these indexes with these schema ids, first in batches. The records of a
    /// rejected batch are sent again, each alone.
    async fn send(
        &self,
        records: &[&OutboxRecord],
        indexes: &[(usize, Registered)],
        deliveries: &mut [Option<Delivery>],
        enqueue_deadline: Instant,
    ) {
        let outgoing =
            |&(index, schema): &(usize, Registered)| self.outgoing(records[index], schema);
        let batch = indexes.iter().map(outgoing);
        let results = self.batched.send(&self.topic, batch, enqueue_deadline).await;
        let mut rejected = Vec::new();
        for (&(index, schema), result) in indexes.iter().zip(results) {
            deliveries[index] = result.delivery_in_batch();
            if deliveries[index].is_none() {
                rejected.push((index, schema));
            }
        }
        if rejected.is_empty() {
            return;
        }
        debug!(records = rejected.len(), "Kafka rejected a batch; sending its records one by one");
        let singles = rejected.iter().map(outgoing);
        let results = self.single.send(&self.topic, singles, enqueue_deadline).await;
        let others_acknowledged = deliveries.contains(&Some(Delivery::Acknowledged))
            || results.contains(&SendResult::Acknowledged);
        for ((index, _), result) in rejected.into_iter().zip(results) {
            deliveries[index] = Some(result.delivery_alone(others_acknowledged));
        }
    }
}

impl KafkaPublisher {
    fn outgoing(&self, record: &OutboxRecord, schema: Registered) -> OutgoingRecord {
        OutgoingRecord {
            key: record.aggregate_id.to_string(),
            value: frame(schema.id, &record.payload),
            headers: headers(record, schema.fullname, self.source),
        }
    }
}

/// The headers of a record: `CloudEvents` in binary mode, so the value contains only Avro.
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
