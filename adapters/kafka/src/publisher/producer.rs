use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::batch::{Batch, DeliveryHandle};
use super::error_codes::ErrorKind;
use super::send_result::SendResult;
use crate::client::Logging;
use crate::settings::MESSAGE_TIMEOUT;

/// Timeout of delivery reports. librdkafka reports after [`MESSAGE_TIMEOUT`] at the latest. If it
/// does not, its producer is replaced and the records in it are dropped.
pub(super) const REPORT_TIMEOUT: Duration = MESSAGE_TIMEOUT.saturating_add(Duration::from_secs(2));

/// Delay before a record is enqueued again after the queue of librdkafka was full.
const QUEUE_FULL_DELAY: Duration = Duration::from_millis(5);

/// A record to send.
pub(super) struct OutgoingRecord {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) headers: OwnedHeaders,
}

/// A producer that is replaced by a new one after a fatal error.
pub(super) struct ReplaceableProducer {
    settings: ClientConfig,
    /// `None` until one is needed.
    current: Mutex<Option<Arc<Producer>>>,
}

type Producer = ThreadedProducer<DeliveryReports>;

/// Receives the delivery reports, on the polling thread of librdkafka.
#[derive(Default)]
struct DeliveryReports(Logging);

impl ClientContext for DeliveryReports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for DeliveryReports {
    type DeliveryOpaque = Box<DeliveryHandle>;

    fn delivery(&self, result: &DeliveryResult<'_>, handle: Box<DeliveryHandle>) {
        handle.settle(match result {
            Ok(_) => SendResult::Acknowledged,
            Err((error, _)) => SendResult::of(error),
        });
    }
}

impl ReplaceableProducer {
    /// Stores the settings. The first producer is created when it is needed.
    pub(super) fn new(settings: ClientConfig) -> Self {
        Self { settings, current: Mutex::default() }
    }

    /// Sends records until `enqueue_deadline`, then waits for their delivery reports, at most
    /// [`REPORT_TIMEOUT`]. Each record is built just before it is sent, so that only one extra copy
    /// of a payload exists at a time.
    pub(super) async fn send(
        &self,
        topic: &str,
        records: impl ExactSizeIterator<Item = OutgoingRecord>,
        enqueue_deadline: Instant,
    ) -> Vec<SendResult> {
        if records.len() == 0 || Instant::now() >= enqueue_deadline {
            return vec![SendResult::Unsent; records.len()];
        }
        let producer = match self.current() {
            Ok(producer) => producer,
            Err(error) => {
                return vec![
                    SendResult::Error(ErrorKind::Outage, error.to_string());
                    records.len()
                ];
            }
        };
        let batch = Batch::of(records.len());
        for (index, record) in records.enumerate() {
            enqueue(&producer, topic, record, Box::new(batch.handle(index)), enqueue_deadline)
                .await;
        }
        let late = timeout(REPORT_TIMEOUT, batch.settled()).await.is_err();
        let mut results = batch.results();
        if let Some(reason) = producer.context().0.auth_failure.take() {
            set_outage_reason(&mut results, &reason);
        }
        if late {
            self.replace(&producer, "delivery reports are missing after the timeout");
        } else if let Some((code, why)) = producer.client().fatal_error() {
            self.replace(&producer, &format!("{code}: {why}"));
        }
        results
    }

    /// Creates the first producer, to find wrong settings.
    pub(super) fn create_first(&self) -> Result<(), KafkaError> {
        self.current().map(drop)
    }

    /// The current producer. Creates one if there is none.
    fn current(&self) -> Result<Arc<Producer>, KafkaError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = current.as_ref() {
            return Ok(Arc::clone(producer));
        }
        let producer = Arc::new(self.settings.create_with_context(DeliveryReports::default())?);
        *current = Some(Arc::clone(&producer));
        Ok(producer)
    }

    /// Removes a failed producer, unless another task has removed it. The next records get a new
    /// one.
    ///
    /// Records in the old producer are dropped. They count as unreachable and are sent again, so
    /// they must not be sent later by the old producer.
    fn replace(&self, old: &Arc<Producer>, why: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = current.take_if(|current| Arc::ptr_eq(current, old)) {
            warn!(why, "replacing the failed Kafka producer");
            // Dropping purges the queue and waits up to a second for the polling thread.
            tokio::task::spawn_blocking(move || drop(old));
        }
    }
}

impl fmt::Debug for ReplaceableProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producers").finish_non_exhaustive()
    }
}

/// Replaces the reason of outages by an authentication failure. The error of a record only says
/// that it timed out.
fn set_outage_reason(results: &mut [SendResult], reason: &str) {
    for result in results {
        if let SendResult::Error(ErrorKind::Outage, why) = result {
            reason.clone_into(why);
        }
    }
}

/// Passes a record to librdkafka, and waits while its queue is full. The record gets a result in
/// every case.
async fn enqueue(
    producer: &Producer,
    topic: &str,
    record: OutgoingRecord,
    mut handle: Box<DeliveryHandle>,
    until: Instant,
) {
    let OutgoingRecord { key, value, headers } = record;
    let mut headers = Some(headers);
    while Instant::now() < until {
        let mut base = BaseRecord::with_opaque_to(topic, handle).key(&key).payload(&value);
        base.headers = headers.take();
        let Err((error, back)) = producer.send(base) else {
            return;
        };
        handle = back.delivery_opaque;
        headers = back.headers;
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            handle.settle(SendResult::of_enqueue_error(&error));
            return;
        }
        sleep(QUEUE_FULL_DELAY).await;
    }
    handle.settle(SendResult::Unsent);
}
