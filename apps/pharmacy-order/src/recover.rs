use adapter_avro::encode_pharmacy_event;
use adapter_kafka::{Cluster, Watch};
use adapter_pharmacy::PgPharmacyOrders;
use adapter_postgres::Database;
use application::pharmacy::recover_work;
use application::published::{PharmacyPayload, PublishedEvent};
use runtime::StartError;

use crate::Config;

/// Number of events that are stored together.
const BATCH: usize = 500;

/// Recovers the work on orders from the pharmacy's own topic.
pub(crate) async fn run(config: &Config, database: &Database) -> Result<(), StartError> {
    database.check_tables().await?;
    let kafka = &config.consumer.kafka;
    let cluster = Cluster::new(kafka)?.with_topic(&config.pharmacy_topic.kafka_pharmacy_topic);
    let mut topic = Watch::from_beginning(&cluster, kafka, adapter_avro::PHARMACY).await?;
    let orders = PgPharmacyOrders::new(database, encode_pharmacy_event);
    let (mut read, mut recovered) = (0, 0);
    loop {
        let batch = next_batch(&mut topic).await?;
        if batch.is_empty() {
            break;
        }
        read += batch.len();
        recovered += recover_work(&orders, &batch)
            .await
            .map_err(|error| StartError::other("cannot recover the work", error))?;
    }
    println!("{read} events read; {recovered} were missing and are recovered");
    Ok(())
}

async fn next_batch(
    topic: &mut Watch<PharmacyPayload>,
) -> Result<Vec<PublishedEvent<PharmacyPayload>>, StartError> {
    let mut batch = Vec::new();
    while batch.len() < BATCH {
        let next = topic.next_before_end().await;
        match next.map_err(|error| StartError::other("cannot read the topic", error))? {
            Some(watched) => batch.push(watched.published_event),
            None => break,
        }
    }
    Ok(batch)
}
