use adapter_outbox::Topics;

use super::Fixture;

#[tokio::test]
async fn the_number_of_partitions_is_stored_when_a_topic_is_first_seen() {
    let topics = Topics::new(&Fixture::new().await.database);
    assert_eq!(topics.partitions("a").await.unwrap(), None);
    assert_eq!(topics.first_partitions("a", 12).await.unwrap(), 12);
    assert_eq!(topics.partitions("a").await.unwrap(), Some(12));
    assert_eq!(topics.first_partitions("a", 13).await.unwrap(), 12);
    assert_eq!(topics.first_partitions("b", 13).await.unwrap(), 13);
}

#[tokio::test]
async fn concurrent_relays_agree_on_the_number_of_partitions_of_a_new_topic() {
    let topics = Topics::new(&Fixture::new().await.database);
    let (one, other) =
        tokio::join!(topics.first_partitions("a", 12), topics.first_partitions("a", 13));
    assert_eq!(one.unwrap(), other.unwrap());
}
