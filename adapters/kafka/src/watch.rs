use std::collections::HashMap;
use std::time::Duration;

use application::event_format::EventSchemas;
use application::published::{Content, Payload, PublishedEvent};
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

/// Timeout of the requests for the ends of the partitions.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the events of the topic without a consumer group. It commits nothing.
pub struct Watch<P = Payload> {
    consumer: StreamConsumer<Logging>,
    decoder: EventDecoder<P>,
    /// For each partition that was not read to its end at the start, the offset of this end.
    unread: HashMap<i32, i64>,
}

/// An event that arrived in the topic.
#[derive(Debug, Clone)]
pub struct Watched<P = Payload> {
    /// The event.
    pub published_event: PublishedEvent<P>,
    /// When it was received here.
    pub arrived_at: Timestamp,
}

/// Why no more events can be read.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A fatal error of the Kafka client.
    #[error("cannot read records from Kafka")]
    Kafka(#[source] KafkaError),
    /// The registry is unavailable.
    #[error("cannot decode a record")]
    Registry(#[from] RegistryUnavailable),
}

impl<P> Watch<P> {
    /// Starts at the current end of the topic. Every event that is published after this returns is
    /// read.
    ///
    /// # Errors
    /// When a setting is wrong or the cluster cannot be reached.
    pub async fn start(args: &KafkaArgs, schemas: EventSchemas<P>) -> Result<Self, StartError> {
        Self::open(&Cluster::new(args)?, args, schemas, |_, end| end).await
    }

    /// Starts at the beginning of the topic of this cluster, for [`Self::next_before_end`].
    ///
    /// # Errors
    /// When a setting is wrong or the cluster cannot be reached.
    pub async fn from_beginning(
        cluster: &Cluster,
        args: &KafkaArgs,
        schemas: EventSchemas<P>,
    ) -> Result<Self, StartError> {
        Self::open(cluster, args, schemas, |begin, _| begin).await
    }

    /// Starts at the offset that `first` chooses from the beginning and the end of a partition.
    async fn open(
        cluster: &Cluster,
        args: &KafkaArgs,
        schemas: EventSchemas<P>,
        first: fn(i64, i64) -> i64,
    ) -> Result<Self, StartError> {
        let registry = Registry::new(args)?;
        let failed = |error| StartError::other("cannot watch the topic", error);
        // librdkafka requires a group name, even for a consumer that joins no group.
        let settings = consumer_settings(cluster, "orders-watch");
        let consumer: StreamConsumer<Logging> =
            settings.create_with_context(Logging::default()).map_err(failed)?;
        let topic = cluster.topic.clone();
        // The requests for offsets block.
        let found = tokio::task::spawn_blocking(move || {
            let mut assignment = TopicPartitionList::new();
            let mut unread = HashMap::new();
            for (partition, (begin, end)) in bounds(&consumer, &topic)? {
                let first = first(begin, end);
                assignment.add_partition_offset(&topic, partition, Offset::Offset(first))?;
                if first < end {
                    unread.insert(partition, end);
                }
            }
            consumer.assign(&assignment)?;
            Ok((consumer, unread))
        });
        let found = found.await.map_err(|_| failed(KafkaError::Canceled))?;
        let (consumer, unread) = found.map_err(failed)?;
        Ok(Self { consumer, decoder: EventDecoder::new(registry, schemas), unread })
    }

    /// Waits for the next event. Other records are skipped.
    ///
    /// # Errors
    /// When the Kafka client has a fatal error, or the registry is unavailable.
    pub async fn next(&mut self) -> Result<Watched<P>, WatchError> {
        loop {
            if let (_, Some(watched)) = self.next_record().await? {
                return Ok(watched);
            }
        }
    }

    /// Waits for the next event that was in the topic at the start; `None` after the last one. Other
    /// records are skipped.
    ///
    /// # Errors
    /// When the Kafka client has a fatal error, or the registry is unavailable.
    pub async fn next_before_end(&mut self) -> Result<Option<Watched<P>>, WatchError> {
        while !self.unread.is_empty() {
            let ((partition, offset), watched) = self.next_record().await?;
            if self.unread.get(&partition).is_some_and(|end| offset + 1 >= *end) {
                self.unread.remove(&partition);
            }
            if watched.is_some() {
                return Ok(watched);
            }
        }
        Ok(None)
    }

    /// The place of the next record, and its event, if it has one.
    async fn next_record(&mut self) -> Result<((i32, i64), Option<Watched<P>>), WatchError> {
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
            let watched = match self.decoder.decode(&record).await? {
                Content::Event(published_event) => Some(Watched { published_event, arrived_at }),
                Content::UnknownType(_) | Content::Unreadable(_) => None,
            };
            return Ok(((record.partition, record.offset), watched));
        }
    }
}

type Bounds = HashMap<i32, (i64, i64)>;

/// The beginning and the end of each partition.
fn bounds(consumer: &StreamConsumer<Logging>, topic: &str) -> Result<Bounds, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let partitions =
        metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
    partitions
        .map(|partition| {
            let id = partition.id();
            Ok((id, consumer.fetch_watermarks(topic, id, TIMEOUT)?))
        })
        .collect()
}
