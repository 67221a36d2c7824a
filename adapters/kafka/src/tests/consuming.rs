use std::time::Duration;

use application::published::RecordHeader;
use application::relay::{Delivery, Publisher};
use domain::ordering::OrderEvent;

use super::world::{PARTITIONS, Remembering, TIMESTAMP, World, events, eventually, outbox_record};
use crate::wire::frame;

pub(super) async fn publish(world: &World, events: &[OrderEvent]) {
    let records: Vec<_> = events.iter().map(outbox_record).collect();
    let records: Vec<_> = records.iter().collect();
    let deliveries = world.publisher().publish(&records, Duration::from_secs(20)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_taken_in_once_across_a_restart() {
    let world = World::start().await;
    let (first, second) = (events(50), events(50));
    publish(&world, &first).await;
    let inbox = Remembering::default();

    let consumer = world.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&first)).await;
    assert!(consumer.health.is_ready());
    consumer.stop().await;
    assert_eq!(world.committed("group"), 50);

    publish(&world, &second).await;
    let consumer = world.consumer("group", &inbox);
    eventually("the second events", || inbox.has(&second)).await;
    consumer.stop().await;
    assert_eq!((inbox.events(), inbox.repeats()), (100, 0));
    assert_eq!(world.committed("group"), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_store_loses_nothing() {
    let world = World::start().await;
    let (before, during) = (events(20), events(20));
    publish(&world, &before).await;
    let inbox = Remembering::default();
    inbox.fail(4);

    let consumer = world.consumer("group", &inbox);
    eventually("the outage", || inbox.failed() >= 1 && consumer.health.problem().is_some()).await;
    assert!(!consumer.health.is_ready());
    publish(&world, &during).await;
    eventually("all events", || inbox.has(&before) && inbox.has(&during)).await;
    eventually("being well again", || consumer.health.is_ready()).await;
    consumer.stop().await;
    assert_eq!(inbox.failed(), 4);
    assert_eq!((inbox.events(), inbox.repeats()), (40, 0));
    assert_eq!(world.committed("group"), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_in_an_outage_it_commits_nothing_of_what_had_no_effect() {
    let world = World::start().await;
    let sent = events(20);
    publish(&world, &sent).await;
    let inbox = Remembering::default();
    inbox.fail(usize::MAX);

    let consumer = world.consumer("group", &inbox);
    eventually("the outage", || inbox.failed() >= 2).await;
    consumer.stop().await;
    assert_eq!(world.committed("group"), 0);

    inbox.fail(0);
    let consumer = world.consumer("group", &inbox);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(world.committed("group"), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_registry_makes_no_dead_letters() {
    let world = World::start().await;
    let sent = events(10);
    publish(&world, &sent).await;
    world.registry.fail_with(Some(500));
    let inbox = Remembering::default();

    let consumer = world.consumer("group", &inbox);
    eventually("the outage", || consumer.health.problem().is_some()).await;
    assert_eq!(inbox.events(), 0);
    world.registry.fail_with(None);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_brokers_is_waited_out() {
    let world = World::start().await;
    let (before, after) = (events(10), events(10));
    publish(&world, &before).await;
    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&before)).await;

    world.cluster.broker_down(-1).unwrap();
    eventually("the outage", || !consumer.health.is_ready()).await;
    world.cluster.broker_up(-1).unwrap();
    publish(&world, &after).await;
    eventually("the other events", || inbox.has(&after)).await;
    eventually("being well again", || consumer.health.is_ready()).await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_nobody_can_read_becomes_a_dead_letter_and_holds_up_none() {
    let world = World::start().await;
    let before = events(PARTITIONS.unsigned_abs() as usize * 5);
    publish(&world, &before).await;
    let poison = [
        (Some(b"no frame".to_vec()), "does not begin"),
        (None, "tombstone"),
        (Some(frame(999, b"datum")), "has no schema 999"),
        (Some(frame(u32::MAX, b"hello")), "no schema registry can give the id 4294967295"),
        (Some(frame(1, b"\x06no")), "the bytes are no orders.OrderCreated"),
        (Some(frame(1, b"")), "the bytes are no orders.OrderCreated"),
    ];
    for (value, _) in &poison {
        world.produce(0, value.as_deref());
    }
    let after = events(20);
    publish(&world, &after).await;

    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    eventually("all events", || inbox.has(&before) && inbox.has(&after)).await;
    eventually("all dead letters", || inbox.dead().len() == poison.len()).await;
    consumer.stop().await;
    for (letter, (value, reason)) in inbox.dead().iter().zip(&poison) {
        assert_eq!(letter.record.value, *value);
        assert_eq!(letter.record.key.as_deref(), Some(&b"key"[..]));
        assert_eq!(letter.record.timestamp_ms, Some(TIMESTAMP));
        let header = RecordHeader { name: "h".to_owned(), value: Some(b"\xff".to_vec()) };
        assert_eq!(letter.record.headers, [header]);
        assert!(letter.reason.contains(reason), "{} has no {reason:?}", letter.reason);
    }
    assert_eq!(world.committed("group"), 46);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_bounded_in_bytes() {
    let world = World::start().await;
    let large = vec![b'x'; 100_000];
    for partition in 0..PARTITIONS {
        for _ in 0..20 {
            world.produce(partition, Some(&large));
        }
    }
    // Nearly a batch of its own, and larger than what is asked for of a partition.
    world.produce(0, Some(&vec![b'x'; 900_000]));
    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    eventually("all records", || inbox.dead().len() == 81).await;
    consumer.stop().await;
    assert!(inbox.largest() <= 1024 * 1024, "{}", inbox.largest());
    assert_eq!(world.committed("group"), 81);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_made_to_use_up_the_stack_is_a_dead_letter_and_kills_nobody() {
    let world = World::start().await;
    let list = r#"{"type":"record","name":"orders.OrderCreated","fields":[
        {"name":"next","type":["null","orders.OrderCreated"]}]}"#;
    let id = world.registry.put("anything", list);
    let bytes = [vec![2; 1_000], vec![0]].concat();
    world.produce(0, Some(&frame(id, &bytes)));
    let sent = events(20);
    publish(&world, &sent).await;

    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the dead letter", || !inbox.dead().is_empty()).await;
    consumer.stop().await;
    assert!(inbox.dead()[0].reason.contains("nested more than"), "{:?}", inbox.dead());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_share_the_partitions_and_one_takes_over_from_the_other() {
    let world = World::start().await;
    let inbox = Remembering::default();
    let one = world.consumer("group", &inbox);
    let other = world.consumer("group", &inbox);
    let half = PARTITIONS.unsigned_abs() as usize / 2;
    eventually("an even share", || {
        one.health.partitions() == half && other.health.partitions() == half
    })
    .await;
    let (first, second) = (events(100), events(100));
    publish(&world, &first).await;
    eventually("the first events", || inbox.has(&first)).await;

    other.stop().await;
    publish(&world, &second).await;
    eventually("the second events", || inbox.has(&second)).await;
    assert_eq!(one.health.partitions(), half * 2);
    one.stop().await;
    assert_eq!((inbox.events(), inbox.repeats()), (200, 0));
    assert_eq!(world.committed("group"), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_lost_during_an_outage_are_not_committed_by_who_lost_them() {
    let world = World::start().await;
    let sent = events(40);
    publish(&world, &sent).await;
    let (stuck, well) = (Remembering::default(), Remembering::default());
    stuck.fail(usize::MAX);
    let one = world.consumer("group", &stuck);
    eventually("the outage", || stuck.failed() >= 1).await;

    // The other gets half of the partitions and does their records; the first still holds those
    // records in the batch it tries again and again.
    let other = world.consumer("group", &well);
    let half = PARTITIONS.unsigned_abs() as usize / 2;
    eventually("an even share", || {
        one.health.partitions() == half && other.health.partitions() == half
    })
    .await;
    eventually("some events", || well.events() > 0).await;
    stuck.fail(0);
    eventually("all events", || stuck.has(&sent)).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(world.committed("group"), 40);
}
