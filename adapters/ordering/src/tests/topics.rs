use adapter_outbox::Topics;

use super::World;

#[tokio::test]
async fn a_topic_is_remembered_as_it_was_first_seen() {
    let topics = Topics::new(&World::new().await.database);
    assert_eq!(topics.partitions("a").await.unwrap(), None);
    assert_eq!(topics.first_partitions("a", 12).await.unwrap(), 12);
    assert_eq!(topics.partitions("a").await.unwrap(), Some(12));
    assert_eq!(topics.first_partitions("a", 13).await.unwrap(), 12);
    assert_eq!(topics.first_partitions("b", 13).await.unwrap(), 13);
}

#[tokio::test]
async fn relays_that_see_a_topic_first_at_the_same_time_agree() {
    let topics = Topics::new(&World::new().await.database);
    let (one, other) =
        tokio::join!(topics.first_partitions("a", 12), topics.first_partitions("a", 13));
    assert_eq!(one.unwrap(), other.unwrap());
}
