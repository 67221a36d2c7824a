mod apply;
mod log_changes;
mod queue;
mod read;
mod retry;
mod unknown_schemas;

use std::sync::atomic::Ordering;
use std::time::Duration;

use application::inbox::Inbox;
use application::one_line;
use application::published::RawRecord;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, TopicPartitionList};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::queue::Queue;
use self::unknown_schemas::UnknownSchemaIds;
use super::ConsumerConfig;
use super::callbacks::{ConsumerCallbacks, commit};
use super::health::ConsumerHealth;
use super::membership::ProcessedOffsets;
use crate::decoder::EventDecoder;
use crate::raw::raw_record;
use crate::settings::consumer_settings;

/// Maximum number of records in a batch, and so in a transaction.
const MAX_BATCH_RECORDS: usize = 500;

/// Maximum size of the records in a batch, unless it is a single record. Decoded and on their way
/// to the database they take several times as much memory.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// How long a batch waits for more records after its first. Short, compared with a transaction.
const BATCH_WAIT: Duration = Duration::from_millis(20);

/// Interval of the commits. Records that are not committed yet are repeated after a crash.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// How often an idle member checks whether its last commit failed.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Timeout of the last commit and of leaving the group.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a member has left its group.
pub(super) enum Exit {
    /// Shutdown was requested. The processed records are committed.
    Shutdown,
    /// The topic does not exist.
    TopicMissing,
    /// A fatal error of the client, with its reason.
    Fatal(String),
}

/// A member of a consumer group.
pub(super) struct Member<P> {
    group: String,
    health: ConsumerHealth,
    decoder: EventDecoder<P>,
    consumer: StreamConsumer<ConsumerCallbacks>,
    /// Fetched records that are not in a batch yet.
    fetched: Queue,
    unknown_schemas: UnknownSchemaIds,
}

struct Fetched {
    record: RawRecord,
    assignment: Option<u64>,
}

impl<P: Send + Sync> Member<P> {
    pub(super) fn join(
        config: &ConsumerConfig,
        decoder: EventDecoder<P>,
    ) -> Result<Self, KafkaError> {
        let ConsumerConfig { group, health, republish, .. } = config;
        let events = ConsumerCallbacks::new(group.clone(), health.clone(), republish);
        let consumer: StreamConsumer<ConsumerCallbacks> =
            consumer_settings(&config.cluster, &config.group).create_with_context(events)?;
        consumer.subscribe(&[config.cluster.topic.as_str()])?;
        Ok(Self {
            group: config.group.clone(),
            health: config.health.clone(),
            unknown_schemas: UnknownSchemaIds::new(decoder.unknown_schema_timeout()),
            decoder,
            consumer,
            fetched: Queue::default(),
        })
    }

    pub(super) async fn run(mut self, inbox: &impl Inbox<P>, shutdown: &CancellationToken) -> Exit {
        let exit = match self.work(inbox, shutdown).await {
            Ok(()) => Exit::Shutdown,
            Err(_) if self.consumer.context().topic_missing.load(Ordering::Relaxed) => {
                Exit::TopicMissing
            }
            Err(why) => Exit::Fatal(why),
        };
        self.leave().await;
        exit
    }

    /// Applies batches until shutdown.
    async fn work(
        &mut self,
        inbox: &impl Inbox<P>,
        shutdown: &CancellationToken,
    ) -> Result<(), String> {
        let mut committed = Instant::now();
        let mut stored = false;
        loop {
            stored |= self.handle_log_changes()?;
            let due = committed + COMMIT_INTERVAL;
            if self.fetched.is_empty() {
                // Wakes up even without new records, to repeat a failed commit.
                let wake_up = if stored { due } else { Instant::now() + IDLE_CHECK_INTERVAL };
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return Ok(()),
                    () = sleep_until(wake_up) => {}
                    fetched = self.fetch() => self.fetched.extend(fetched?),
                }
            }
            if !self.fetched.is_empty() {
                self.wait_for_more().await?;
                let Some(processed) = self.apply_batch(inbox, shutdown).await? else {
                    return Ok(());
                };
                stored |= self.store(&processed);
            }
            if (stored || self.commit_failed()) && Instant::now() >= due {
                self.consumer.context().commit_failed.store(false, Ordering::Relaxed);
                commit(&self.consumer);
                committed = Instant::now();
                stored = false;
            }
            if shutdown.is_cancelled() {
                return Ok(());
            }
        }
    }

    fn commit_failed(&self) -> bool {
        self.consumer.context().commit_failed.load(Ordering::Relaxed)
    }

    /// The next new record. `None` after an error from which librdkafka recovers by itself.
    async fn fetch(&self) -> Result<Option<Fetched>, String> {
        match self.consumer.recv().await {
            Ok(message) => {
                let topic_partition = (message.topic().to_owned(), message.partition());
                if !self.is_new_record(&topic_partition, &message)? {
                    return Ok(None);
                }
                let record = raw_record(&message);
                self.health.set_broker_reachable();
                self.health.set_authorized();
                let assignment = self.consumer.context().membership.assignment(&topic_partition);
                Ok(Some(Fetched { record, assignment }))
            }
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => Err(one_line(&error)),
            Err(error)
                if error.rdkafka_error_code()
                    == Some(RDKafkaErrorCode::UnknownTopicOrPartition) =>
            {
                self.consumer.context().topic_missing.store(true, Ordering::Relaxed);
                Err(one_line(&error))
            }
            Err(error) => {
                if let Some(
                    RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed,
                ) = error.rdkafka_error_code()
                {
                    self.health.set_unauthorized(&one_line(&error));
                }
                debug!(group = self.group, error = one_line(&error), "waiting for Kafka");
                Ok(None)
            }
        }
    }

    /// Waits up to [`BATCH_WAIT`] for more records.
    async fn wait_for_more(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + BATCH_WAIT;
        while self.fetched.len() < MAX_BATCH_RECORDS && self.fetched.bytes() < MAX_BATCH_BYTES {
            match timeout_at(deadline, self.fetch()).await {
                Ok(fetched) => self.fetched.extend(fetched?),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Stores the offsets of a batch for the next commit. Returns whether there were any.
    fn store(&self, processed: &ProcessedOffsets) -> bool {
        let offsets = processed.offsets(&self.consumer.context().membership);
        self.store_offsets(&offsets)
    }

    fn store_offsets(&self, offsets: &TopicPartitionList) -> bool {
        if offsets.count() == 0 {
            return false;
        }
        self.consumer.context().progress.mark_processed(offsets);
        if let Err(error) = self.consumer.store_offsets(offsets) {
            warn!(
                group = self.group,
                error = one_line(&error),
                "offsets could not be stored for the next commit"
            );
        }
        true
    }

    /// Commits the stored offsets and leaves the group.
    async fn leave(self) {
        self.health.set_left();
        let Self { group, consumer, .. } = self;
        let (done_tx, done_rx) = tokio::sync::oneshot::channel();
        // On its own thread: at shutdown the runtime would wait for a blocking task without limit.
        std::thread::spawn(move || {
            // If this fails, the records are repeated later.
            let _ = consumer.commit_consumer_state(CommitMode::Sync);
            drop(consumer);
            let _ = done_tx.send(());
        });
        tokio::select! {
            _ = done_rx => {}
            () = sleep(LEAVE_TIMEOUT) => {
                warn!(
                    group,
                    "Kafka does not answer; the group will remove this member after the session \
                     timeout"
                );
            }
        }
    }
}
