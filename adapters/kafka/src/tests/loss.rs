use domain::ordering::OrderEvent;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::consuming::publish;
use super::world::{PARTITIONS, Remembering, TOPIC, World, events, eventually};

/// Commits an offset in the name of a group that has no member.
fn commit(world: &World, group: &str, partition: i32, offset: i64, metadata: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &world.args.kafka_bootstrap_servers)
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

/// Publishes events until each partition has some.
pub(super) async fn some_everywhere(world: &World) -> Vec<OrderEvent> {
    let sent = events(PARTITIONS.unsigned_abs() as usize * 10);
    publish(world, &sent).await;
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_were_deleted_unread_are_told() {
    let world = World::start().await;
    let first = some_everywhere(&world).await;
    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&first)).await;
    consumer.stop().await;

    // A partition of this cluster keeps 5 MiB; what comes first goes first.
    world.produce(0, Some(b"unread"));
    for _ in 0..6 {
        world.produce(0, Some(&vec![0; 950_000]));
    }
    let consumer = world.consumer("group", &inbox);
    eventually("the warning", || consumer.health.warning().is_some()).await;
    let warning = consumer.health.warning().unwrap();
    assert!(warning.contains("records were deleted from order-created-topic partition 0 unread"));
    assert!(warning.contains("order-jobs replay"), "{warning}");
    eventually("the rest", || inbox.dead().len() >= 5).await;
    assert!(consumer.health.is_ready(), "it goes on with what is there");
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_topic_that_was_made_anew_nothing_is_skipped() {
    let of_the_old_topic = "record-1 1 1700000000000 0123456789abcdef";
    for (what, offset, metadata) in [
        ("it ends before what was read", 1000, ""),
        ("it has grown beyond what was read", 2, of_the_old_topic),
    ] {
        let world = World::start().await;
        let sent = some_everywhere(&world).await;
        for partition in 0..PARTITIONS {
            commit(&world, "group", partition, offset, metadata);
        }
        let inbox = Remembering::default();
        let consumer = world.consumer("group", &inbox);
        eventually(what, || inbox.has(&sent)).await;
        eventually("the warning", || consumer.health.warning().is_some()).await;
        consumer.stop().await;
        assert_eq!(inbox.repeats(), 0, "{what}");
    }
}
