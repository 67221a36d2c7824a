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

use super::batch::{Batch, Ticket};
use super::outcome::{Answer, Meaning};
use crate::client::Logging;
use crate::settings::MESSAGE_TIMEOUT;

/// Within which the outcome of a record is known once it was handed over: librdkafka should tell it
/// after [`MESSAGE_TIMEOUT`], and what it still holds a little later is thrown away.
pub(super) const REPORTED_WITHIN: Duration = MESSAGE_TIMEOUT.saturating_add(Duration::from_secs(2));

/// How long to wait before trying again to put a record into a full queue.
const QUEUE_PAUSE: Duration = Duration::from_millis(5);

/// A record to be sent.
pub(super) struct Outgoing {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) headers: OwnedHeaders,
}

/// The producer in use, and the means to make the next one when it is at its end.
pub(super) struct Producers {
    settings: ClientConfig,
    /// `None` until one is needed.
    current: Mutex<Option<Arc<Producer>>>,
}

type Producer = ThreadedProducer<Reports>;

/// Receives the outcome of each record, on librdkafka's polling thread.
#[derive(Default)]
struct Reports(Logging);

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        ticket.settle(match result {
            Ok(_) => Answer::Acknowledged,
            Err((error, _)) => Answer::of(error),
        });
    }
}

impl Producers {
    /// Producers of these settings; the first is made when it is needed.
    pub(super) fn new(settings: ClientConfig) -> Self {
        Self { settings, current: Mutex::default() }
    }

    /// Hands records over for as long as `hand_over_until` is ahead, and waits for what becomes of
    /// each: [`REPORTED_WITHIN`] at the most. A record is made only when it is handed over, so that
    /// there is one more copy of a payload at a time, not of all.
    pub(super) async fn send(
        &self,
        topic: &str,
        records: impl ExactSizeIterator<Item = Outgoing>,
        hand_over_until: Instant,
    ) -> Vec<Answer> {
        if records.len() == 0 || Instant::now() >= hand_over_until {
            return vec![Answer::Unsent; records.len()];
        }
        let producer = match self.current() {
            Ok(producer) => producer,
            Err(error) => {
                return vec![Answer::Error(Meaning::Outage, error.to_string()); records.len()];
            }
        };
        let batch = Batch::of(records.len());
        for (place, record) in records.enumerate() {
            enqueue(&producer, topic, record, Box::new(batch.ticket(place)), hand_over_until).await;
        }
        let late = timeout(REPORTED_WITHIN, batch.settled()).await.is_err();
        let mut answers = batch.answers();
        if let Some(reason) = producer.context().0.refusal.take() {
            explain(&mut answers, &reason);
        }
        if late {
            self.replace(&producer, "it did not report on all records in time");
        } else if let Some((code, why)) = producer.client().fatal_error() {
            self.replace(&producer, &format!("{code}: {why}"));
        }
        answers
    }

    /// Makes the first producer now, so that settings that are wrong are told.
    pub(super) fn prepare(&self) -> Result<(), KafkaError> {
        self.current().map(drop)
    }

    /// The producer in use, made if there is none.
    fn current(&self) -> Result<Arc<Producer>, KafkaError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = current.as_ref() {
            return Ok(Arc::clone(producer));
        }
        let producer = Arc::new(self.settings.create_with_context(Reports::default())?);
        *current = Some(Arc::clone(&producer));
        Ok(producer)
    }

    /// Gives up a producer that is at its end, unless somebody has already; the next records get
    /// another one.
    ///
    /// What the old one still holds is thrown away: it counts as unreachable and will be sent
    /// again, and must not arrive behind what is sent by then.
    fn replace(&self, old: &Arc<Producer>, why: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = current.take_if(|current| Arc::ptr_eq(current, old)) {
            warn!(why, "replacing the Kafka producer");
            // Dropping purges what is queued, and waits up to a second for its thread.
            tokio::task::spawn_blocking(move || drop(old));
        }
    }
}

impl fmt::Debug for Producers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producers").finish_non_exhaustive()
    }
}

/// Says of what was not sent that no broker lets us in: the record itself only knows that it waited.
fn explain(answers: &mut [Answer], reason: &str) {
    for answer in answers {
        if let Answer::Error(Meaning::Outage, why) = answer {
            reason.clone_into(why);
        }
    }
}

/// Hands a record to librdkafka, which may have to make room for it first. Whatever it says, the
/// ticket gets an answer.
async fn enqueue(
    producer: &Producer,
    topic: &str,
    record: Outgoing,
    mut ticket: Box<Ticket>,
    until: Instant,
) {
    let Outgoing { key, value, headers } = record;
    let mut headers = Some(headers);
    while Instant::now() < until {
        let mut base = BaseRecord::with_opaque_to(topic, ticket).key(&key).payload(&value);
        base.headers = headers.take();
        let Err((error, back)) = producer.send(base) else {
            return;
        };
        ticket = back.delivery_opaque;
        headers = back.headers;
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            ticket.settle(Answer::not_taken_over(&error));
            return;
        }
        sleep(QUEUE_PAUSE).await;
    }
    ticket.settle(Answer::Unsent);
}
