mod log;
mod queue;
mod read;
mod stall;
mod take_in;
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
use self::unknown_schemas::UnknownSchemas;
use super::ConsumerConfig;
use super::client::{Events, commit};
use super::health::ConsumerHealth;
use super::membership::Done;
use crate::decoder::EventDecoder;
use crate::raw::raw_record;
use crate::settings::consumer_settings;

/// The most records in one batch, and so in one transaction.
const MOST_RECORDS: usize = 500;

/// The most bytes of records in one batch, unless it is a single one. Decoded and on their way into the
/// database they take several times as much.
const MOST_BYTES: usize = 1024 * 1024;

/// How long a batch waits for more records after its first. Short beside a transaction.
const GATHER: Duration = Duration::from_millis(20);

/// How often offsets are committed. What is not committed yet is only repeated after a crash.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// How often a member with nothing to do looks whether its last commit failed.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// How long to wait for the last commit and the farewell to the group.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a member is none any more.
pub(super) enum Left {
    /// It was asked to leave, and has done and committed what it had begun.
    Shutdown,
    /// There is no such topic.
    TopicMissing,
    /// The client is at its end, for the reason given.
    Fatal(String),
}

/// One consumer in its group.
pub(super) struct Member {
    group: String,
    health: ConsumerHealth,
    decoder: EventDecoder,
    consumer: StreamConsumer<Events>,
    /// Records that were fetched and belong to no batch yet, with their assignment.
    fetched: Queue,
    unknown_schemas: UnknownSchemas,
}

struct Fetched {
    record: RawRecord,
    assignment: Option<u64>,
}

impl Member {
    pub(super) fn join(config: &ConsumerConfig, decoder: EventDecoder) -> Result<Self, KafkaError> {
        let events = Events::new(config.group.clone(), config.health.clone());
        let consumer: StreamConsumer<Events> =
            consumer_settings(&config.cluster, &config.group).create_with_context(events)?;
        consumer.subscribe(&[config.cluster.topic.as_str()])?;
        Ok(Self {
            group: config.group.clone(),
            health: config.health.clone(),
            unknown_schemas: UnknownSchemas::new(decoder.patience()),
            decoder,
            consumer,
            fetched: Queue::default(),
        })
    }

    pub(super) async fn run(mut self, inbox: &impl Inbox, shutdown: &CancellationToken) -> Left {
        let left = match self.work(inbox, shutdown).await {
            Ok(()) => Left::Shutdown,
            Err(_) if self.consumer.context().topic_is_missing.load(Ordering::Relaxed) => {
                Left::TopicMissing
            }
            Err(why) => Left::Fatal(why),
        };
        self.leave().await;
        left
    }

    /// Batch after batch, until shutdown.
    async fn work(
        &mut self,
        inbox: &impl Inbox,
        shutdown: &CancellationToken,
    ) -> Result<(), String> {
        let mut committed = Instant::now();
        let mut stored = false;
        loop {
            stored |= self.catch_up_with_the_log()?;
            let due = committed + COMMIT_INTERVAL;
            if self.fetched.is_empty() {
                // Even with nothing new a commit that failed meanwhile is to be made up for.
                let look = if stored { due } else { Instant::now() + IDLE_LOOK };
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return Ok(()),
                    () = sleep_until(look) => {}
                    fetched = self.fetch() => self.fetched.extend(fetched?),
                }
            }
            if !self.fetched.is_empty() {
                self.gather().await?;
                let Some(done) = self.apply_batch(inbox, shutdown).await? else {
                    return Ok(());
                };
                stored |= self.store(&done);
            }
            if (stored || self.commit_failed()) && Instant::now() >= due {
                self.consumer.context().uncommitted.store(false, Ordering::Relaxed);
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
        self.consumer.context().uncommitted.load(Ordering::Relaxed)
    }

    /// The next record, or nothing after an error that librdkafka gets over by itself.
    async fn fetch(&self) -> Result<Option<Fetched>, String> {
        match self.consumer.recv().await {
            Ok(message) => {
                let place = (message.topic().to_owned(), message.partition());
                if !self.is_to_be_taken_in(&place, &message)? {
                    return Ok(None);
                }
                let record = raw_record(&message);
                self.health.sees_a_broker();
                self.health.may_read();
                let assignment = self.consumer.context().membership.assignment(&place);
                Ok(Some(Fetched { record, assignment }))
            }
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => Err(one_line(&error)),
            Err(error)
                if error.rdkafka_error_code()
                    == Some(RDKafkaErrorCode::UnknownTopicOrPartition) =>
            {
                self.consumer.context().topic_is_missing.store(true, Ordering::Relaxed);
                Err(one_line(&error))
            }
            Err(error) => {
                if let Some(
                    RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed,
                ) = error.rdkafka_error_code()
                {
                    self.health.may_not_read(&one_line(&error));
                }
                debug!(group = self.group, error = one_line(&error), "waiting for Kafka");
                Ok(None)
            }
        }
    }

    /// Waits a moment for what comes close behind the first record.
    async fn gather(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + GATHER;
        while self.fetched.len() < MOST_RECORDS && self.fetched.bytes() < MOST_BYTES {
            match timeout_at(deadline, self.fetch()).await {
                Ok(fetched) => self.fetched.extend(fetched?),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Marks the offsets of a batch as done; says whether there were any.
    fn store(&self, done: &Done) -> bool {
        let offsets = done.offsets(&self.consumer.context().membership);
        self.store_offsets(&offsets)
    }

    fn store_offsets(&self, offsets: &TopicPartitionList) -> bool {
        if offsets.count() == 0 {
            return false;
        }
        self.consumer.context().readings.done(offsets);
        if let Err(error) = self.consumer.store_offsets(offsets) {
            warn!(group = self.group, error = one_line(&error), "offsets could not be stored");
        }
        true
    }

    /// Commits what is done and says goodbye, on a thread that may block.
    async fn leave(self) {
        self.health.left();
        let Self { group, consumer, .. } = self;
        let (said, heard) = tokio::sync::oneshot::channel();
        // A thread of its own: a runtime that shuts down would wait for a blocking task for ever.
        std::thread::spawn(move || {
            // Nothing to commit is as good as committed; what failed is only repeated later.
            let _ = consumer.commit_consumer_state(CommitMode::Sync);
            drop(consumer);
            let _ = said.send(());
        });
        tokio::select! {
            _ = heard => {}
            () = sleep(FAREWELL) => {
                warn!(group, "Kafka does not answer; the group will notice that we are gone");
            }
        }
    }
}
