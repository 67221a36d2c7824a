use super::world::World;
use crate::kafka::topic::{TopicError, ensure};
use crate::one_line;

#[tokio::test]
async fn a_topic_that_is_there_is_left_alone_without_asking_for_more() {
    let world = World::start().await;
    ensure(&world.way_in()).await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_told_with_its_address() {
    let mut world = World::start().await;
    world.args.kafka_bootstrap_servers = "127.0.0.1:1".to_owned();
    let error = ensure(&world.way_in()).await.unwrap_err();
    assert!(matches!(error, TopicError::Unreachable { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("127.0.0.1:1"));
}

#[tokio::test]
async fn a_cluster_that_creates_no_topics_is_told_what_to_create() {
    let mut world = World::start().await;
    world.args.kafka_topic = "nowhere".to_owned();
    let error = ensure(&world.way_in()).await.unwrap_err();
    assert!(matches!(error, TopicError::Refused { .. }), "{}", one_line(&error));
    assert!(error.to_string().contains("nowhere"));
}
