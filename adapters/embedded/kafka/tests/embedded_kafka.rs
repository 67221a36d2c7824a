//! Tests of the embedded Kafka cluster with ordinary clients.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use embedded_kafka::{CLIENT_PROPERTIES, EmbeddedKafka};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

const TOPIC: &str = "order-created-topic";
const DEADLINE: Duration = Duration::from_secs(10);

fn producer(kafka: &EmbeddedKafka, message_timeout: Duration) -> FutureProducer {
    ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap_servers())
        .set("acks", "all")
        .set("message.timeout.ms", message_timeout.as_millis().to_string())
        .set("reconnect.backoff.max.ms", "100")
        .set("log_level", "0")
        .create()
        .unwrap()
}

async fn send(producer: &FutureProducer, partition: i32, value: &str) -> Result<i64, KafkaError> {
    let record = FutureRecord::to(TOPIC).partition(partition).key("order").payload(value);
    let sent = producer.send(record, DEADLINE).await;
    sent.map(|delivery| delivery.offset).map_err(|(error, _)| error)
}

fn read(kafka: &EmbeddedKafka, partition: i32) -> String {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap_servers())
        .set("group.id", "reader")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(TOPIC, partition, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    let record = consumer.poll(DEADLINE).expect("a record in time").unwrap();
    String::from_utf8(record.payload().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_topic_has_its_partitions_on_three_brokers() {
    let kafka = EmbeddedKafka::start(TOPIC, 12).unwrap();
    let producer = producer(&kafka, DEADLINE);
    let metadata = producer.client().fetch_metadata(Some(TOPIC), DEADLINE).unwrap();
    assert_eq!(metadata.brokers().len(), 3);
    let partitions = metadata.topics()[0].partitions();
    assert_eq!(partitions.len(), 12);
    assert!(partitions.iter().all(|partition| partition.replicas().len() == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_keeps_running_when_its_handle_is_moved_to_another_task() {
    let kafka = EmbeddedKafka::start(TOPIC, 3).unwrap();
    let kafka = tokio::spawn(async move {
        send(&producer(&kafka, DEADLINE), 2, "placed").await.unwrap();
        kafka
    })
    .await
    .unwrap();
    assert_eq!(tokio::task::block_in_place(|| read(&kafka, 2)), "placed");
}

#[tokio::test]
async fn a_record_for_a_stopped_broker_arrives_after_its_restart() {
    let kafka = EmbeddedKafka::start(TOPIC, 1).unwrap();
    let short_timeout = producer(&kafka, Duration::from_millis(500));
    send(&short_timeout, 0, "before").await.unwrap();

    for broker in 1..=3 {
        kafka.broker_down(broker).unwrap();
    }
    let refused = send(&short_timeout, 0, "too early").await;
    assert_eq!(refused.unwrap_err().rdkafka_error_code(), Some(RDKafkaErrorCode::MessageTimedOut));

    let long_timeout = producer(&kafka, DEADLINE);
    let (sent, ()) = tokio::join!(send(&long_timeout, 0, "after"), async {
        for broker in 1..=3 {
            kafka.broker_up(broker).unwrap();
        }
    });
    assert_eq!(sent.unwrap(), 1, "the earlier record still exists");
}

#[test]
fn a_broker_that_does_not_exist_is_refused() {
    let kafka = EmbeddedKafka::start(TOPIC, 1).unwrap();
    assert!(kafka.broker_down(4).is_err());
    assert!(kafka.broker_up(9).is_err());
}

#[test]
fn a_member_that_waits_for_its_group_can_commit() {
    let kafka = EmbeddedKafka::start(TOPIC, 2).unwrap();
    let member = || {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka.bootstrap_servers()).set("group.id", "group");
        for property in CLIENT_PROPERTIES.split(',') {
            let (name, value) = property.split_once('=').unwrap();
            config.set(name, value);
        }
        let consumer: BaseConsumer = config.create().unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        consumer
    };
    let is_assigned = |member: &BaseConsumer| {
        assert!(member.poll(Duration::from_millis(100)).is_none(), "no records, no errors");
        member.assignment().unwrap().count() > 0
    };
    // Every second attempt of the cluster to form a group of two members fails, after about a session timeout.
    let deadline = Instant::now() + 12 * DEADLINE;
    let first = member();
    while !is_assigned(&first) {
        assert!(Instant::now() < deadline, "the first member has no partition");
    }

    // The group waits for about a session timeout before it admits another member.
    let second = member();
    assert!(second.poll(Duration::from_secs(2)).is_none());
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(TOPIC, 0, Offset::Offset(0)).unwrap();
    second.commit(&offsets, CommitMode::Async).unwrap();
    while !(is_assigned(&first) & is_assigned(&second)) {
        assert!(Instant::now() < deadline, "the second member has no partition");
    }
}
