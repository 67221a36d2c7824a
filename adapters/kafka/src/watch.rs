use std::time::Duration;

use application::event_format::EventSchemas;
use application::published::{Content, PublishedEvent};
use domain::Timestamp;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use runtime::StartError;
use runtime::clock;
use runtime::config::KafkaArgs;

use super::client::Logging;
use super::cluster::Cluster;
use super::decoder::{EventDecoder, RegistryUnavailable};
use super::raw::raw_record;
use super::registry::Registry;
use super::settings::consumer_settings;

/// How long the cluster may take to say where the partitions end.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Looks on as events come into the topic, outside of every group and leaving no trace.
pub struct Watch {
    consumer: StreamConsumer<Logging>,
    decoder: EventDecoder,
}

/// An event that came into the topic.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The event.
    pub published_event: PublishedEvent,
    /// When it was seen.
    pub arrived_at: Timestamp,
}

/// Why the watch ends.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Kafka gave no records.
    #[error("Kafka gave no records")]
    Kafka(#[source] KafkaError),
    /// The registry gave no schema.
    #[error("a record could not be read")]
    Registry(#[from] RegistryUnavailable),
}

impl Watch {
    /// Begins at the present end of the topic: every event that comes after this returns is seen.
    ///
    /// # Errors
    /// When a setting is wrong or the cluster cannot be reached.
    pub async fn start(args: &KafkaArgs, events: EventSchemas) -> Result<Self, StartError> {
        let cluster = Cluster::new(args)?;
        let registry = Registry::new(args, events)?;
        let failed = |error| StartError::other("cannot watch the topic", error);
        // librdkafka wants a group's name even of a consumer that joins none.
        let settings = consumer_settings(&cluster, "orders-watch");
        let consumer: StreamConsumer<Logging> =
            settings.create_with_context(Logging::default()).map_err(failed)?;
        let topic = cluster.topic;
        // Asking for offsets blocks the thread, so it is done on one that may block.
        let found = tokio::task::spawn_blocking(move || {
            let ends = ends(&consumer, &topic)?;
            consumer.assign(&ends)?;
            Ok(consumer)
        });
        let consumer = found.await.map_err(|_| failed(KafkaError::Canceled))?.map_err(failed)?;
        Ok(Self { consumer, decoder: EventDecoder::new(registry) })
    }

    /// The next event; what is no event of an order is passed over.
    ///
    /// # Errors
    /// When Kafka or the registry fails for good.
    pub async fn next(&mut self) -> Result<Watched, WatchError> {
        loop {
            let message = match self.consumer.recv().await {
                Ok(message) => message,
                Err(error @ KafkaError::MessageConsumptionFatal(_)) => {
                    return Err(WatchError::Kafka(error));
                }
                Err(_) => continue,
            };
            let arrived_at = clock::now();
            let record = raw_record(&message);
            if let Content::Event(published_event) = self.decoder.decode(&record).await? {
                return Ok(Watched { published_event, arrived_at });
            }
        }
    }
}

fn ends(consumer: &StreamConsumer<Logging>, topic: &str) -> Result<TopicPartitionList, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let partitions =
        metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
    let mut ends = TopicPartitionList::new();
    for partition in partitions {
        let (_, end) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
        ends.add_partition_offset(topic, partition.id(), Offset::Offset(end))?;
    }
    Ok(ends)
}
