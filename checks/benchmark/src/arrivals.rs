//! How fast records arrive in a topic, whoever publishes them.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};

use crate::Failure;

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// How long the records may take.
const ALL: Duration = Duration::from_mins(15);

/// Prints a line when it begins to count, and the rate when `records` have arrived. The first tenth
/// is not measured.
pub(crate) fn run(brokers: &str, topic: &str, records: i64) -> Result<(), Failure> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
    let partitions: Vec<i32> = metadata
        .topics()
        .iter()
        .flat_map(MetadataTopic::partitions)
        .map(MetadataPartition::id)
        .collect();
    let count = || -> KafkaResult<i64> {
        let ends = partitions.iter().map(|&partition| {
            consumer.fetch_watermarks(topic, partition, ANSWER).map(|(_, end)| end)
        });
        ends.sum()
    };
    let before = count()?;
    println!("counting");
    let begin = Instant::now();
    let mut measured_from = None;
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let (arrived, now) = (count()? - before, Instant::now());
        let (first, since) = match measured_from {
            None if arrived < records / 10 => (0, begin),
            None => *measured_from.insert((arrived, now)),
            Some(measured) => measured,
        };
        if arrived >= records {
            let millis = i64::try_from((now - since).as_millis())?.max(1);
            println!("{} {arrived}", (arrived - first) * 1000 / millis);
            return Ok(());
        }
        if begin.elapsed() > ALL {
            return Err(format!("only {arrived} of {records} records have arrived").into());
        }
    }
}
