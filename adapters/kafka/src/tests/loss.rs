use domain::ordering::OrderEvent;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::consuming::publish;
use super::fixture::{Fixture, PARTITIONS, RecordingInbox, TOPIC, events, eventually};

/// Commits an offset for a group without members.
fn commit(fixture: &Fixture, group: &str, partition: i32, offset: i64, metadata: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &fixture.args.kafka_bootstrap_servers)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, partition, Offset::Offset(offset)).unwrap();
    for mut element in list.elements() {
        element.set_metadata(metadata);
    }
    consumer.commit(&list, CommitMode::Sync).unwrap();
}

/// Publishes enough events so that each partition has some.
pub(super) async fn publish_to_every_partition(fixture: &Fixture) -> Vec<OrderEvent> {
    let sent = events(PARTITIONS.unsigned_abs() as usize * 10);
    publish(fixture, &sent).await;
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_deleted_before_they_were_read_are_reported() {
    let fixture = Fixture::start().await;
    let first = publish_to_every_partition(&fixture).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&first)).await;
    consumer.stop().await;

    // A partition of this cluster keeps 5 MiB. The oldest records are deleted first.
    fixture.produce(0, Some(b"unread"));
    for _ in 0..6 {
        fixture.produce(0, Some(&vec![0; 950_000]));
    }
    let consumer = fixture.consumer("group", &inbox);
    eventually("the warning", || consumer.health.warning().is_some()).await;
    let warning = consumer.health.warning().unwrap();
    let expected = "were deleted from order-created-topic partition 0 before they were read";
    assert!(warning.contains(expected), "{warning}");
    assert!(warning.ends_with("again with `parcels replay`"), "{warning}");
    eventually("the rest", || inbox.dead().len() >= 5).await;
    assert!(consumer.health.is_ready(), "it continues with the remaining records");
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_commit_has_the_fingerprint_of_the_record_before_its_offset() {
    let fixture = Fixture::start().await;
    let sent = publish_to_every_partition(&fixture).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;

    let records = fixture.records(sent.len());
    for (partition, (offset, metadata)) in (0..).zip(fixture.commits("group")) {
        let last = records.iter().rfind(|record| record.partition() == partition).unwrap();
        assert_eq!(offset, last.offset() + 1);
        let time = last.timestamp().to_millis().unwrap();
        let expected = format!("record-1 {} {time} ", last.offset());
        assert!(metadata.starts_with(&expected), "{metadata:?} instead of {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_of_a_topic_that_was_created_again_is_skipped() {
    let of_the_old_topic = "record-1 1 1700000000000 0123456789abcdef";
    for (what, offset, metadata) in [
        ("it ends before the committed offset", 1000, ""),
        ("it has grown beyond the committed offset", 2, of_the_old_topic),
    ] {
        let fixture = Fixture::start().await;
        let sent = publish_to_every_partition(&fixture).await;
        for partition in 0..PARTITIONS {
            commit(&fixture, "group", partition, offset, metadata);
        }
        let inbox = RecordingInbox::default();
        let consumer = fixture.consumer("group", &inbox);
        eventually(what, || inbox.has(&sent)).await;
        eventually("the warning", || consumer.health.warning().is_some()).await;
        consumer.stop().await;
        assert_eq!(inbox.repeats(), 0, "{what}");
    }
}
