use application::one_line;

use super::fixture::{Fixture, PARTITIONS, RecordingInbox, eventually};
use super::loss::publish_to_every_partition;
use crate::topic::{Inspector, Shape, TopicError, ensure};

#[tokio::test]
async fn an_existing_topic_is_not_changed() {
    let fixture = Fixture::start().await;
    assert!(!ensure(&fixture.cluster_settings(), 12, 3).await.unwrap());
}

#[tokio::test]
async fn an_unreachable_cluster_is_reported_with_its_address() {
    let mut fixture = Fixture::start().await;
    fixture.args.kafka_bootstrap_servers = "127.0.0.1:1".to_owned();
    let error = ensure(&fixture.cluster_settings(), 12, 3).await.unwrap_err();
    assert!(matches!(error, TopicError::Unreachable { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("127.0.0.1:1"));
}

#[tokio::test]
async fn the_error_names_the_topic_if_the_cluster_refuses_to_create_it() {
    let mut fixture = Fixture::start().await;
    fixture.args.kafka_topic = "nowhere".to_owned();
    let error = ensure(&fixture.cluster_settings(), 12, 3).await.unwrap_err();
    assert!(matches!(error, TopicError::Refused { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("nowhere"));
}

#[tokio::test]
async fn a_topic_is_not_created_with_fewer_replicas_than_configured() {
    let mut fixture = Fixture::start().await;
    fixture.args.kafka_topic = "nowhere".to_owned();
    let error = ensure(&fixture.cluster_settings(), 12, 4).await.unwrap_err();
    assert!(matches!(error, TopicError::TooFewBrokers { wanted: 4, found: 3, .. }), "{error}");
    assert!(error.to_string().contains("KAFKA_TOPIC_REPLICATION"), "{error}");
}

#[tokio::test]
async fn an_inspector_returns_the_partitions_and_replicas() {
    let mut fixture = Fixture::start().await;
    let inspector = |fixture: &Fixture| Inspector::new(&fixture.cluster_settings()).unwrap();
    let shape = inspector(&fixture).shape().await.unwrap();
    assert_eq!(shape, Some(Shape { partitions: PARTITIONS, fewest_replicas: 3 }));
    // The mock brokers do not return settings.
    assert_eq!(inspector(&fixture).settings().await.unwrap(), None);

    fixture.args.kafka_topic = "nowhere".to_owned();
    assert_eq!(inspector(&fixture).shape().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_is_not_ready_until_its_topic_exists() {
    let mut fixture = Fixture::start().await;
    let sent = publish_to_every_partition(&fixture).await;
    let topic = std::mem::replace(&mut fixture.args.kafka_topic, "later".to_owned());
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    let is_missing = |problem: String| problem == "the topic later does not exist";
    eventually("the problem", || consumer.health.problem().is_some_and(is_missing)).await;
    assert!(!consumer.health.is_ready());

    fixture.cluster.create_topic("later", PARTITIONS, 3).unwrap();
    publish_to_every_partition(&fixture).await;
    eventually("being ready", || consumer.health.is_ready()).await;
    eventually("its events", || inbox.events() == sent.len()).await;
    consumer.stop().await;
    assert_ne!(topic, fixture.args.kafka_topic);
}
