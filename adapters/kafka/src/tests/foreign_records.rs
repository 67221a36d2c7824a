//! Records and schemas of other programs in our topic.

use std::time::Duration;

use super::consuming::publish;
use super::fixture::{Fixture, RecordingInbox, events, eventually};
use crate::wire::frame;

/// Longer than any test runs.
const LONG_TIMEOUT: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_schema_id_does_not_block_other_records() {
    let fixture = Fixture::start().await;
    fixture.produce(0, Some(b"\x00\xff\xff\xff\xffhello"));
    let sent = events(20);
    publish(&fixture, &sent).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, LONG_TIMEOUT);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    assert!(consumer.health.is_ready());
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_id_that_is_unknown_for_a_moment_makes_no_dead_letter() {
    let fixture = Fixture::start().await;
    let sent = events(20);
    publish(&fixture, &sent).await;
    fixture.registry.set_hidden(1, true);
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, LONG_TIMEOUT);
    let requests = fixture.registry.requests();
    eventually("more requests", || fixture.registry.requests() >= requests + 3).await;
    assert_eq!(consumer.health.problem(), None, "only a record is blocked");
    fixture.registry.set_hidden(1, false);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!((inbox.dead(), inbox.repeats()), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_before_an_unknown_schema_id_are_applied_while_it_is_looked_up() {
    let fixture = Fixture::start().await;
    let sent = events(20);
    publish(&fixture, &sent).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, LONG_TIMEOUT);
    eventually("joining", || inbox.has(&sent)).await;
    let (before, after) = (events(1), events(1));
    publish(&fixture, &before).await;
    fixture.produce(0, Some(&frame(999, b"foreign")));
    eventually("the earlier event", || inbox.has(&before)).await;
    let requests = fixture.registry.requests();
    eventually("more requests", || fixture.registry.requests() >= requests + 2).await;
    publish(&fixture, &after).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);

    let consumer = fixture.consumer_with_timeout("group", &inbox, Duration::from_millis(500));
    eventually("the later event", || inbox.has(&after)).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 23);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_unknown_schema_ids_wait_at_the_same_time() {
    let fixture = Fixture::start().await;
    let sent = events(20);
    publish(&fixture, &sent).await;
    for id in 900..910 {
        fixture.produce(0, Some(&frame(id, b"foreign")));
        fixture.produce(0, Some(&frame(id, b"foreign again")));
    }
    let inbox = RecordingInbox::default();
    let started = std::time::Instant::now();
    let consumer = fixture.consumer_with_timeout("group", &inbox, Duration::from_secs(4));
    eventually("all dead letters", || inbox.dead().len() == 20).await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_registry_makes_no_dead_letters_and_is_reported() {
    let fixture = Fixture::start().await;
    let sent = events(10);
    publish(&fixture, &sent).await;
    fixture.produce(0, Some(&frame(999, b"foreign")));
    fixture.registry.set_empty(true);
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, Duration::from_millis(200));
    eventually("the problem", || consumer.health.problem().is_some()).await;
    let problem = consumer.health.problem().unwrap();
    assert!(problem.contains("is it the right registry"), "{problem}");
    let requests = fixture.registry.requests();
    eventually("more requests", || fixture.registry.requests() >= requests + 5).await;
    assert!(!consumer.health.is_ready());
    assert_eq!((inbox.events(), inbox.dead()), (0, vec![]));

    fixture.registry.set_empty(false);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the foreign record", || inbox.dead().len() == 1).await;
    eventually("the recovery", || consumer.health.is_ready()).await;
    consumer.stop().await;
    assert_eq!(fixture.committed("group"), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_finds_no_schema_by_id_is_suspect_even_if_it_has_our_subjects() {
    let fixture = Fixture::start().await;
    let sent = events(10);
    publish(&fixture, &sent).await;
    fixture.registry.set_hidden(1, true);
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, Duration::from_millis(200));
    eventually("the problem", || consumer.health.problem().is_some()).await;
    fixture.registry.set_hidden(1, false);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_record_becomes_a_dead_letter_only_after_the_registry_has_our_events() {
    let fixture = Fixture::start().await;
    fixture.produce(0, Some(&frame(999, b"foreign")));
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, Duration::from_millis(200));
    eventually("the problem", || consumer.health.problem().is_some()).await;
    assert_eq!(inbox.dead(), []);
    let sent = events(1);
    publish(&fixture, &sent).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    eventually("the event", || inbox.has(&sent)).await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_other_types_are_skipped() {
    let fixture = Fixture::start().await;
    let shipped = r#"{"type":"record","name":"OrderShipped","namespace":"orders","fields":[]}"#;
    let list = r#"{"type":"record","name":"shop.List","fields":[
        {"name":"next","type":["null","shop.List"]}]}"#;
    let deep = (0..60)
        .fold(r#""int""#.to_owned(), |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#));
    let unresolved =
        r#"{"type":"record","name":"shop.Invoice","fields":[{"name":"a","type":"shop.Amount"}]}"#;
    let foreign = [shipped, list, &deep, unresolved, r#""string""#, r#"["null","int"]"#];
    for schema in foreign {
        let id = fixture.registry.add_schema("other", schema);
        fixture.produce(0, Some(&frame(id, b"\x02anything")));
    }
    let sent = events(20);
    publish(&fixture, &sent).await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, LONG_TIMEOUT);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
    assert_eq!(fixture.committed("group"), 26);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_with_an_unusable_schema_of_our_event_or_without_a_name_is_a_dead_letter() {
    let fixture = Fixture::start().await;
    let schemas = [
        r#"{"type":"record","name":"orders.OrderCreated","fields":[{"name":"a","type":"int"}]}"#,
        r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
            {"name":"a","type":"shop.Amount"}]}"#,
        "this is no schema",
        r#"{"fields":[]}"#,
    ];
    for schema in schemas {
        let id = fixture.registry.add_schema("other", schema);
        fixture.produce(0, Some(&frame(id, b"\x02")));
    }
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer_with_timeout("group", &inbox, LONG_TIMEOUT);
    eventually("all dead letters", || inbox.dead().len() == schemas.len()).await;
    consumer.stop().await;
    for letter in inbox.dead() {
        assert!(letter.reason.len() < 1_100, "{}", letter.reason);
    }
}
