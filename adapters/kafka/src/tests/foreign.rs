//! Records and schemas of others in our topic.

use std::time::Duration;

use super::consuming::publish;
use super::world::{Remembering, World, events, eventually};
use crate::wire::frame;

/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_no_registry_can_give_holds_up_nothing() {
    let world = World::start().await;
    world.produce(0, Some(b"\x00\xff\xff\xff\xffhello"));
    let sent = events(20);
    publish(&world, &sent).await;
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, FOR_EVER);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    assert!(consumer.health.is_ready());
    consumer.stop().await;
    assert_eq!(world.committed("group"), 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_unknown_for_a_moment_makes_no_dead_letter() {
    let world = World::start().await;
    let sent = events(20);
    publish(&world, &sent).await;
    world.registry.hide(1, true);
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, FOR_EVER);
    let asked = world.registry.questions();
    eventually("asking again", || world.registry.questions() >= asked + 3).await;
    assert_eq!(consumer.health.problem(), None, "it is about a record");
    world.registry.hide(1, false);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!((inbox.dead(), inbox.repeats()), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_before_an_unknown_id_takes_effect_while_it_is_asked_for() {
    let world = World::start().await;
    let sent = events(20);
    publish(&world, &sent).await;
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, FOR_EVER);
    eventually("joining", || inbox.has(&sent)).await;
    let (before, behind) = (events(1), events(1));
    publish(&world, &before).await;
    world.produce(0, Some(&frame(999, b"foreign")));
    eventually("what is before", || inbox.has(&before)).await;
    let asked = world.registry.questions();
    eventually("asking again", || world.registry.questions() >= asked + 2).await;
    publish(&world, &behind).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);

    let consumer = world.patient_consumer("group", &inbox, Duration::from_millis(500));
    eventually("what is behind", || inbox.has(&behind)).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    consumer.stop().await;
    assert_eq!(world.committed("group"), 23);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_unknown_ids_wait_at_the_same_time() {
    let world = World::start().await;
    let sent = events(20);
    publish(&world, &sent).await;
    for id in 900..910 {
        world.produce(0, Some(&frame(id, b"foreign")));
        world.produce(0, Some(&frame(id, b"foreign again")));
    }
    let inbox = Remembering::default();
    let began = std::time::Instant::now();
    let consumer = world.patient_consumer("group", &inbox, Duration::from_secs(4));
    eventually("all dead letters", || inbox.dead().len() == 20).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(world.committed("group"), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_knows_nothing_makes_no_dead_letters_and_is_told() {
    let world = World::start().await;
    let sent = events(10);
    publish(&world, &sent).await;
    world.produce(0, Some(&frame(999, b"foreign")));
    world.registry.forget(true);
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, Duration::from_millis(200));
    eventually("the suspicion", || consumer.health.problem().is_some()).await;
    let problem = consumer.health.problem().unwrap();
    assert!(problem.contains("is it the right registry"), "{problem}");
    let asked = world.registry.questions();
    eventually("asking again", || world.registry.questions() >= asked + 5).await;
    assert!(!consumer.health.is_ready());
    assert_eq!((inbox.events(), inbox.dead()), (0, vec![]));

    world.registry.forget(false);
    eventually("all events", || inbox.has(&sent)).await;
    eventually("the foreign record", || inbox.dead().len() == 1).await;
    eventually("being well again", || consumer.health.is_ready()).await;
    consumer.stop().await;
    assert_eq!(world.committed("group"), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_gives_no_schema_by_its_id_is_suspect_though_it_knows_our_subjects() {
    let world = World::start().await;
    let sent = events(10);
    publish(&world, &sent).await;
    world.registry.hide(1, true);
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, Duration::from_millis(200));
    eventually("the suspicion", || consumer.health.problem().is_some()).await;
    world.registry.hide(1, false);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_record_alone_in_the_topic_is_given_up_once_the_registry_knows_our_events() {
    let world = World::start().await;
    world.produce(0, Some(&frame(999, b"foreign")));
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, Duration::from_millis(200));
    eventually("the suspicion", || consumer.health.problem().is_some()).await;
    assert_eq!(inbox.dead(), []);
    let sent = events(1);
    publish(&world, &sent).await;
    eventually("the dead letter", || inbox.dead().len() == 1).await;
    eventually("the event", || inbox.has(&sent)).await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_other_types_are_skipped() {
    let world = World::start().await;
    let shipped = r#"{"type":"record","name":"OrderShipped","namespace":"orders","fields":[]}"#;
    let list = r#"{"type":"record","name":"shop.List","fields":[
        {"name":"next","type":["null","shop.List"]}]}"#;
    let deep = (0..60)
        .fold(r#""int""#.to_owned(), |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#));
    let unresolved =
        r#"{"type":"record","name":"shop.Invoice","fields":[{"name":"a","type":"shop.Amount"}]}"#;
    let foreign = [shipped, list, &deep, unresolved, r#""string""#, r#"["null","int"]"#];
    for schema in foreign {
        let id = world.registry.put("other", schema);
        world.produce(0, Some(&frame(id, b"\x02anything")));
    }
    let sent = events(20);
    publish(&world, &sent).await;
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, FOR_EVER);
    eventually("all events", || inbox.has(&sent)).await;
    consumer.stop().await;
    assert_eq!(inbox.dead(), []);
    assert_eq!(world.committed("group"), 26);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_claims_to_be_our_event_or_does_not_tell_is_a_dead_letter() {
    let world = World::start().await;
    let schemas = [
        r#"{"type":"record","name":"orders.OrderCreated","fields":[{"name":"a","type":"int"}]}"#,
        r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
            {"name":"a","type":"shop.Amount"}]}"#,
        "this is no schema",
        r#"{"fields":[]}"#,
    ];
    for schema in schemas {
        let id = world.registry.put("other", schema);
        world.produce(0, Some(&frame(id, b"\x02")));
    }
    let inbox = Remembering::default();
    let consumer = world.patient_consumer("group", &inbox, FOR_EVER);
    eventually("all dead letters", || inbox.dead().len() == schemas.len()).await;
    consumer.stop().await;
    for letter in inbox.dead() {
        assert!(letter.reason.len() < 1_100, "{}", letter.reason);
    }
}
