//! A producer that publishes the same bytes from memory, with the settings of the relay.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use runtime::clock;
use uuid::Uuid;

use crate::{Failure, print_rate};

/// Counts the acknowledged records.
#[derive(Clone, Default)]
struct Acknowledged(Arc<AtomicUsize>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
    }
}

pub(crate) fn run(brokers: &str, topic: &str, records: usize, bytes: usize) -> Result<(), Failure> {
    let acknowledged = Acknowledged::default();
    let producer: ThreadedProducer<Acknowledged> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "2")
        .set("partitioner", "murmur2_random")
        .create_with_context(acknowledged.clone())?;
    let keys: Vec<String> =
        (0..records).map(|_| Uuid::from_u128(clock::random()).to_string()).collect();
    let value = vec![7; bytes];
    let begin = Instant::now();
    for key in &keys {
        let mut record = BaseRecord::to(topic).key(key).payload(&value);
        while let Err((error, again)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            std::thread::sleep(Duration::from_millis(1));
            record = again;
        }
    }
    producer.flush(Duration::from_mins(1))?;
    if acknowledged.0.load(Ordering::Relaxed) != records {
        return Err("records were lost".into());
    }
    print_rate(records, begin);
    Ok(())
}
