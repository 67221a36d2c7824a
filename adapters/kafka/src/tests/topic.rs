use application::one_line;

use super::loss::some_everywhere;
use super::world::{PARTITIONS, Remembering, World, eventually};
use crate::topic::{Inspector, Shape, TopicError, ensure};

#[tokio::test]
async fn a_topic_that_is_there_is_left_alone_without_asking_for_more() {
    let world = World::start().await;
    assert!(!ensure(&world.way_in(), 12, 3).await.unwrap());
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_told_with_its_address() {
    let mut world = World::start().await;
    world.args.kafka_bootstrap_servers = "127.0.0.1:1".to_owned();
    let error = ensure(&world.way_in(), 12, 3).await.unwrap_err();
    assert!(matches!(error, TopicError::Unreachable { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("127.0.0.1:1"));
}

#[tokio::test]
async fn a_cluster_that_creates_no_topics_is_told_what_to_create() {
    let mut world = World::start().await;
    world.args.kafka_topic = "nowhere".to_owned();
    let error = ensure(&world.way_in(), 12, 3).await.unwrap_err();
    assert!(matches!(error, TopicError::Refused { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("nowhere"));
}

#[tokio::test]
async fn a_topic_is_not_created_with_fewer_replicas_than_it_is_to_have() {
    let mut world = World::start().await;
    world.args.kafka_topic = "nowhere".to_owned();
    let error = ensure(&world.way_in(), 12, 4).await.unwrap_err();
    assert!(matches!(error, TopicError::TooFewBrokers { wanted: 4, found: 3, .. }), "{error}");
    assert!(error.to_string().contains("KAFKA_TOPIC_REPLICATION"), "{error}");
}

#[tokio::test]
async fn a_look_tells_what_the_topic_is() {
    let mut world = World::start().await;
    let inspector = |world: &World| Inspector::new(&world.way_in()).unwrap();
    let shape = inspector(&world).shape().await.unwrap();
    assert_eq!(shape, Some(Shape { partitions: PARTITIONS, fewest_replicas: 3 }));
    // These brokers are an imitation and have no settings to tell.
    assert_eq!(inspector(&world).settings().await.unwrap(), None);

    world.args.kafka_topic = "nowhere".to_owned();
    assert_eq!(inspector(&world).shape().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_without_a_topic_is_not_ready_until_it_is_there() {
    let mut world = World::start().await;
    let sent = some_everywhere(&world).await;
    let topic = std::mem::replace(&mut world.args.kafka_topic, "later".to_owned());
    let inbox = Remembering::default();
    let consumer = world.consumer("group", &inbox);
    let is_missing = |problem: String| problem == "the topic later does not exist";
    eventually("being told", || consumer.health.problem().is_some_and(is_missing)).await;
    assert!(!consumer.health.is_ready());

    world.cluster.create_topic("later", PARTITIONS, 3).unwrap();
    some_everywhere(&world).await;
    eventually("being ready", || consumer.health.is_ready()).await;
    eventually("its events", || inbox.events() == sent.len()).await;
    consumer.stop().await;
    assert_ne!(topic, world.args.kafka_topic);
}
