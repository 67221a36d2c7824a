use std::net::TcpListener;
use std::time::{Duration, Instant};

use adapter_avro as avro;
use application::relay::{Delivery, OutboxRecord, Publisher};
use rdkafka::Message;
use rdkafka::message::Headers;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use runtime::config::KafkaArgs;

use super::world::{TOPIC, TRACE, World, events, outbox_record};
use crate::KafkaPublisher;
use crate::wire::unframe;

/// How long a relay holds its lanes.
const A_CLAIM: Duration = Duration::from_secs(20);

async fn publish(publisher: &KafkaPublisher, records: &[OutboxRecord]) -> Vec<Delivery> {
    publisher.publish(&records.iter().collect::<Vec<_>>(), A_CLAIM).await
}

fn records(count: usize) -> Vec<OutboxRecord> {
    events(count).iter().map(outbox_record).collect()
}

#[tokio::test]
async fn a_record_arrives_framed_and_keyed_and_dressed_as_a_cloud_event() {
    let world = World::start().await;
    let sent = &records(1)[0];
    let deliveries = publish(&world.publisher(), std::slice::from_ref(sent)).await;
    assert_eq!(deliveries, [Delivery::Acknowledged]);

    let arrived = &world.records(1)[0];
    assert_eq!(arrived.key(), Some(sent.aggregate_id.to_string().as_bytes()));
    assert_eq!(unframe(arrived.payload().unwrap()), Some((1, sent.payload.as_slice())));
    assert_eq!(world.registry.subjects(), [format!("{TOPIC}-orders.OrderCreated")]);

    let headers: Vec<(String, String)> = arrived
        .headers()
        .unwrap()
        .iter()
        .map(|h| (h.key.to_owned(), String::from_utf8(h.value.unwrap().to_vec()).unwrap()))
        .collect();
    let expected = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", sent.event_id.to_string()),
        ("ce_type", "orders.OrderCreated".to_owned()),
        ("ce_source", "/ordering".to_owned()),
        ("ce_time", sent.occurred_at.to_string()),
        ("ce_subject", sent.aggregate_id.to_string()),
        ("content-type", "application/avro".to_owned()),
        ("traceparent", TRACE.to_owned()),
    ];
    let expected: Vec<(String, String)> =
        expected.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn a_batch_is_acknowledged_record_by_record_and_asks_the_registry_once() {
    let world = World::start().await;
    let publisher = world.publisher();
    for _ in 0..2 {
        let deliveries = publish(&publisher, &records(500)).await;
        assert_eq!(deliveries.len(), 500);
        assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    }
    assert_eq!(world.records(1000).len(), 1000);
    assert_eq!(world.registry.questions(), 1);
}

#[tokio::test]
async fn while_no_broker_answers_records_are_unreachable_and_later_they_flow() {
    let world = World::start().await;
    let publisher = world.publisher();
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);

    world.cluster.broker_down(-1).unwrap();
    let during = records(3);
    let began = Instant::now();
    let deliveries = publish(&publisher, &during).await;
    assert!(began.elapsed() < Duration::from_secs(13), "took {:?}", began.elapsed());
    assert!(deliveries.iter().all(|d| matches!(d, Delivery::Unreachable(_))), "{deliveries:?}");

    world.cluster.broker_up(-1).unwrap();
    let deliveries = publish(&publisher, &during).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    let keys: Vec<_> = world.records(4).iter().map(|m| m.key().unwrap().to_vec()).collect();
    for record in &during {
        let key = record.aggregate_id.to_string().into_bytes();
        assert_eq!(keys.iter().filter(|k| **k == key).count(), 1, "{}", record.aggregate_id);
    }
}

#[tokio::test]
async fn while_the_registry_is_away_records_are_unreachable_and_later_they_flow() {
    let world = World::start().await;
    let publisher = world.publisher();
    for status in [500, 503, 429, 404] {
        world.registry.fail_with(Some(status));
        let deliveries = publish(&publisher, &records(2)).await;
        assert!(
            deliveries.iter().all(|d| matches!(d, Delivery::Unreachable(_))),
            "{status}: {deliveries:?}"
        );
    }
    world.registry.fail_with(None);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
    world.registry.fail_with(Some(503));
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged], "the id is known");
}

#[tokio::test]
async fn a_schema_that_the_registry_does_not_take_yet_lets_its_records_wait() {
    let world = World::start().await;
    let publisher = world.publisher();
    for status in [409, 422, 403] {
        world.registry.fail_with(Some(status));
        let deliveries = publish(&publisher, &records(1)).await;
        let [Delivery::Unreachable(why)] = &deliveries[..] else {
            panic!("{status}: {deliveries:?}");
        };
        assert!(why.contains("`schemas register`"), "{why}");
    }
    world.registry.fail_with(None);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_read_only_registry_is_an_outage_until_it_has_the_schema() {
    let world = World::start().await;
    let publisher = world.publisher();
    world.registry.read_only(true);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
    let schema = avro::latest("orders.OrderCreated").unwrap();
    world.registry.put(&schema.subject(TOPIC), schema.json);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_others_are_sent() {
    let world = World::start().await;
    let mut batch = records(3);
    batch[1].payload = vec![0; 2 * 1024 * 1024];
    let deliveries = publish(&world.publisher(), &batch).await;
    assert!(
        matches!(
            deliveries[..],
            [Delivery::Acknowledged, Delivery::Refused(_), Delivery::Acknowledged]
        ),
        "{deliveries:?}"
    );
}

#[tokio::test]
async fn records_of_a_batch_that_was_rejected_as_too_large_are_sent_one_by_one() {
    let world = World::start().await;
    let publisher = world.publisher();
    reject(&world, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 4);
    let deliveries = publish(&publisher, &records(200)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    assert_eq!(world.records(200).len(), 200);
}

#[tokio::test]
async fn a_record_is_refused_only_once_it_was_sent_alone() {
    let world = World::start().await;
    let publisher = world.publisher();
    // Once in its batch, and once alone.
    reject(&world, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Refused(_)]), "{deliveries:?}");
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn what_a_setting_of_the_topic_or_a_clock_rejects_is_an_outage() {
    let world = World::start().await;
    let publisher = world.publisher();
    for error in [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    ] {
        reject(&world, error, 1);
        let deliveries = publish(&publisher, &records(1)).await;
        assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{error:?}: {deliveries:?}");
    }
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_batch_that_was_rejected_for_no_clear_reason_fails_no_record_that_kafka_takes_alone() {
    let world = World::start().await;
    let publisher = world.publisher();
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD;
    reject(&world, error, 1);
    let deliveries = publish(&publisher, &records(100)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    // Kafka takes nothing else either: who knows whose fault it is.
    reject(&world, error, 2);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
}

/// Lets the next so many requests to keep records end in an error.
fn reject(world: &World, error: RDKafkaRespErr, requests: usize) {
    world.cluster.request_errors(RDKafkaApiKey::Produce, &vec![error; requests]);
}

#[tokio::test]
async fn a_record_of_a_schema_from_the_future_waits_for_a_newer_relay() {
    let world = World::start().await;
    let mut batch = records(2);
    batch[0].schema_fingerprint = vec![7; 32];
    let deliveries = publish(&world.publisher(), &batch).await;
    assert!(
        matches!(deliveries[..], [Delivery::Failed(_), Delivery::Acknowledged]),
        "{deliveries:?}"
    );
}

#[tokio::test]
async fn a_producer_at_its_end_is_replaced_and_the_record_sent_again() {
    let world = World::start().await;
    let publisher = world.publisher();
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);

    // For an idempotent producer this is the end: it can no longer tell what was kept.
    world.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    );
    let batch = records(1);
    let deliveries = publish(&publisher, &batch).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
    assert_eq!(publish(&publisher, &batch).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_registry_that_never_answers_takes_no_more_time_than_there_is() {
    let mut world = World::start().await;
    // Connections are taken by the system, and nobody looks at them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    world.args = KafkaArgs::at(world.cluster.bootstrap_servers(), url, TOPIC);
    let mut batch = records(avro::published().len());
    for (record, schema) in batch.iter_mut().zip(avro::published()) {
        record.schema_fingerprint = schema.fingerprint.to_vec();
    }
    let publisher = world.publisher();
    let began = Instant::now();
    // Of which sending the records could take 12 s.
    let deliveries =
        publisher.publish(&batch.iter().collect::<Vec<_>>(), Duration::from_secs(14)).await;
    assert!(began.elapsed() < Duration::from_secs(4), "took {:?}", began.elapsed());
    assert!(matches!(deliveries[0], Delivery::Unreachable(_)), "{deliveries:?}");
}

#[tokio::test]
async fn a_record_whose_outcome_could_not_be_known_in_time_is_not_sent() {
    let world = World::start().await;
    let publisher = world.publisher();
    let batch = records(3);
    let batch: Vec<_> = batch.iter().collect();
    let began = Instant::now();
    let deliveries = publisher.publish(&batch, Duration::from_secs(11)).await;
    assert!(began.elapsed() < Duration::from_secs(1), "took {:?}", began.elapsed());
    assert_eq!(deliveries, [Delivery::Unsent, Delivery::Unsent, Delivery::Unsent]);
    assert_eq!(publisher.publish(&batch, A_CLAIM).await, vec![Delivery::Acknowledged; 3]);
    assert_eq!(world.records(3).len(), 3);
}

#[tokio::test]
async fn nothing_to_publish_is_published_at_once() {
    let world = World::start().await;
    world.cluster.broker_down(-1).unwrap();
    assert_eq!(publish(&world.publisher(), &[]).await, []);
}
