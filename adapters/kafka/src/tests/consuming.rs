use std::time::Duration;

use application::published::RecordHeader;
use application::relay::{Delivery, Publisher};
use domain::ordering::OrderEvent;

use super::fixture::{
    Fixture, PARTITIONS, RecordingInbox, TIMESTAMP, events, eventually, outbox_record,
};
use crate::wire::frame;

pub(super) async fn publish(fixture: &Fixture, events: &[OrderEvent]) {
    let records: Vec<_> = events.iter().map(outbox_record).collect();
    let records: Vec<_> = records.iter().collect();
    let deliveries = fixture.publisher().publish(&records, Duration::from_secs(20)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_applied_once_across_a_restart() {
    let fixture = Fixture::start().await;
    let (first, second) = (events(50), events(50));
    publish(&fixture, &first).await;
    let inbox = RecordingInbox::default();

    let consumer = fixture.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&first)).await;
    assert!(consumer.health.is_ready());
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 50);

    publish(&fixture, &second).await;
    let consumer = fixture.consumer("group", &inbox);
    eventually("the second events", || inbox.has(&second)).await;
    consumer.stop().await;
    assert_eq!((inbox.events(), inbox.repeats()), (100, 0));
    assert_eq!(fixture.committed("group"), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_store_loses_nothing() {
    let fixture = Fixture::start().await;
    let (before, during) = (events(20), events(20));
    publish(&fixture, &before).await;
    let inbox = RecordingInbox::default();
    inbox.fail_next(4);

    let consumer = fixture.consumer("group", &inbox);
    eventually("the outage", || inbox.failures() >= 1 && consumer.health.problem().is_some()).await;
    assert!(!consumer.health.is_ready());
    publish(&fixture, &during).await;
    eventually("all events", || inbox.has(&before) && inbox.has(&during)).await;
    eventually("the recovery", || consumer.health.is_ready()).await;
    consumer.stop().await;
    assert_eq!(inbox.failures(), 4);
    assert_eq!((inbox.events(), inbox.repeats()), (40, 0));
    assert_eq!(fixture.committed("group"), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_stopped_in_an_outage_does_not_commit_unapplied_records() {
    let fixture = Fixture::start().await;
    let sent = events(20);
    publish(&fixture, &sent).await;
    let inbox = RecordingInbox::default();
    inbox.fail_next(usize::MAX);

    let consumer = fixture.consumer("group", &inbox);
    eventually("the outage", || inbox.failures() >= 2).await;
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 0);

    inbox.fail_next(0);
    let consumer = fixture.consumer("group", &inbox);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_registry_makes_no_dead_letters() {
    let fixture = Fixture::start().await;
    let sent = events(10);
    publish(&fixture, &sent).await;
    fixture.registry.fail_with(Some(500));
    let inbox = RecordingInbox::default();

    let consumer = fixture.consumer("group", &inbox);
    eventually("the outage", || consumer.health.problem().is_some()).await;
    assert_eq!(inbox.events(), 0);
    fixture.registry.fail_with(None);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consuming_continues_after_an_outage_of_the_brokers() {
    let fixture = Fixture::start().await;
    let (before, after) = (events(10), events(10));
    publish(&fixture, &before).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("the first events", || inbox.has(&before)).await;

    fixture.cluster.broker_down(-1).unwrap();
    eventually("the outage", || !consumer.health.is_ready()).await;
    fixture.cluster.broker_up(-1).unwrap();
    publish(&fixture, &after).await;
    eventually("the other events", || inbox.has(&after)).await;
    eventually("the recovery", || consumer.health.is_ready()).await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_record_becomes_a_dead_letter_and_does_not_block_others() {
    let fixture = Fixture::start().await;
    let before = events(PARTITIONS.unsigned_abs() as usize * 5);
    publish(&fixture, &before).await;
    let poison = [
        (Some(b"no frame".to_vec()), "does not begin"),
        (None, "tombstone"),
        (Some(frame(999, b"datum")), "has no schema 999"),
        (Some(frame(u32::MAX, b"hello")), "the schema id 4294967295 is invalid"),
        (Some(frame(1, b"\x06no")), "the bytes are not a valid orders.OrderCreated"),
        (Some(frame(1, b"")), "the bytes are not a valid orders.OrderCreated"),
    ];
    for (value, _) in &poison {
        fixture.produce(0, value.as_deref());
    }
    let after = events(20);
    publish(&fixture, &after).await;

    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
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
    assert_eq!(fixture.committed("group"), 46);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_of_a_batch_is_limited_in_bytes() {
    let fixture = Fixture::start().await;
    let large = vec![b'x'; 100_000];
    for partition in 0..PARTITIONS {
        for _ in 0..20 {
            fixture.produce(partition, Some(&large));
        }
    }
    // Nearly a whole batch, and larger than the fetch limit of a partition.
    fixture.produce(0, Some(&vec![b'x'; 900_000]));
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("all records", || inbox.dead().len() == 81).await;
    consumer.stop().await;
    assert!(inbox.largest_call() <= 1024 * 1024, "{}", inbox.largest_call());
    assert_eq!(fixture.committed("group"), 81);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_would_overflow_the_stack_becomes_a_dead_letter() {
    let fixture = Fixture::start().await;
    let list = r#"{"type":"record","name":"orders.OrderCreated","fields":[
        {"name":"next","type":["null","orders.OrderCreated"]}]}"#;
    let id = fixture.registry.add_schema("anything", list);
    let bytes = [vec![2; 1_000], vec![0]].concat();
    fixture.produce(0, Some(&frame(id, &bytes)));
    let sent = events(20);
    publish(&fixture, &sent).await;

    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the dead letter", || !inbox.dead().is_empty()).await;
    consumer.stop().await;
    assert!(inbox.dead()[0].reason.contains("nested more than"), "{:?}", inbox.dead());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_share_the_partitions_and_one_takes_over_from_the_other() {
    let fixture = Fixture::start().await;
    let inbox = RecordingInbox::default();
    let one = fixture.consumer("group", &inbox);
    let other = fixture.consumer("group", &inbox);
    let half = PARTITIONS.unsigned_abs() as usize / 2;
    eventually("an even share", || {
        one.health.partitions() == half && other.health.partitions() == half
    })
    .await;
    let (first, second) = (events(100), events(100));
    publish(&fixture, &first).await;
    eventually("the first events", || inbox.has(&first)).await;

    other.stop().await;
    publish(&fixture, &second).await;
    eventually("the second events", || inbox.has(&second)).await;
    assert_eq!(one.health.partitions(), half * 2);
    one.stop().await;
    assert_eq!((inbox.events(), inbox.repeats()), (200, 0));
    assert_eq!(fixture.committed("group"), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_revoked_during_an_outage_are_not_committed_by_their_old_owner() {
    let fixture = Fixture::start().await;
    let sent = events(40);
    publish(&fixture, &sent).await;
    let (blocked_inbox, working_inbox) = (RecordingInbox::default(), RecordingInbox::default());
    blocked_inbox.fail_next(usize::MAX);
    let one = fixture.consumer("group", &blocked_inbox);
    eventually("the outage", || blocked_inbox.failures() >= 1).await;

    // The second member gets half of the partitions and applies their records. The first still has
    // these records in the batch that it retries.
    let other = fixture.consumer("group", &working_inbox);
    let half = PARTITIONS.unsigned_abs() as usize / 2;
    eventually("an even share", || {
        one.health.partitions() == half && other.health.partitions() == half
    })
    .await;
    eventually("some events", || working_inbox.events() > 0).await;
    blocked_inbox.fail_next(0);
    eventually("all events", || blocked_inbox.has(&sent)).await;
    one.stop().await;
    other.stop().await;
    assert_eq!(fixture.committed("group"), 40);
}
