use std::net::TcpListener;
use std::time::{Duration, Instant};

use adapter_avro as avro;
use application::relay::{Delivery, OutboxRecord, Publisher};
use rdkafka::Message;
use rdkafka::message::Headers;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use runtime::config::KafkaArgs;

use super::fixture::{Fixture, PARTITIONS, TOPIC, TRACE, events, outbox_record};
use crate::KafkaPublisher;
use crate::wire::unframe;

/// How long a relay has to publish a claim.
const CLAIM_TIME: Duration = Duration::from_secs(20);

async fn publish(publisher: &KafkaPublisher, records: &[OutboxRecord]) -> Vec<Delivery> {
    publisher.publish(&records.iter().collect::<Vec<_>>(), CLAIM_TIME).await
}

fn records(count: usize) -> Vec<OutboxRecord> {
    events(count).iter().map(outbox_record).collect()
}

#[tokio::test]
async fn a_record_has_the_wire_format_the_key_and_the_cloud_event_headers() {
    let fixture = Fixture::start().await;
    let sent = &records(1)[0];
    let deliveries = publish(&fixture.publisher(), std::slice::from_ref(sent)).await;
    assert_eq!(deliveries, [Delivery::Acknowledged]);

    let arrived = &fixture.records(1)[0];
    assert_eq!(arrived.key(), Some(sent.aggregate_id.to_string().as_bytes()));
    assert_eq!(unframe(arrived.payload().unwrap()), Some((1, sent.payload.as_slice())));
    assert_eq!(fixture.registry.subjects(), [format!("{TOPIC}-orders.OrderCreated")]);

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
async fn every_record_of_a_batch_is_acknowledged_with_one_request_to_the_registry() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    for _ in 0..2 {
        let deliveries = publish(&publisher, &records(500)).await;
        assert_eq!(deliveries.len(), 500);
        assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    }
    assert_eq!(fixture.records(1000).len(), 1000);
    assert_eq!(fixture.registry.requests(), 1);
}

#[tokio::test]
async fn records_are_unreachable_while_no_broker_answers_and_published_later() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);

    fixture.cluster.broker_down(-1).unwrap();
    let during = records(3);
    let started = Instant::now();
    let deliveries = publish(&publisher, &during).await;
    assert!(started.elapsed() < Duration::from_secs(13), "took {:?}", started.elapsed());
    assert!(deliveries.iter().all(|d| matches!(d, Delivery::Unreachable(_))), "{deliveries:?}");

    fixture.cluster.broker_up(-1).unwrap();
    let deliveries = publish(&publisher, &during).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    let keys: Vec<_> = fixture.records(4).iter().map(|m| m.key().unwrap().to_vec()).collect();
    for record in &during {
        let key = record.aggregate_id.to_string().into_bytes();
        assert_eq!(keys.iter().filter(|k| **k == key).count(), 1, "{}", record.aggregate_id);
    }
}

#[tokio::test]
async fn records_are_unreachable_while_the_registry_is_unavailable_and_published_later() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    for status in [500, 503, 429, 404] {
        fixture.registry.fail_with(Some(status));
        let deliveries = publish(&publisher, &records(2)).await;
        assert!(
            deliveries.iter().all(|d| matches!(d, Delivery::Unreachable(_))),
            "{status}: {deliveries:?}"
        );
    }
    fixture.registry.fail_with(None);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
    fixture.registry.fail_with(Some(503));
    assert_eq!(
        publish(&publisher, &records(1)).await,
        [Delivery::Acknowledged],
        "the id is cached"
    );
}

#[tokio::test]
async fn records_wait_while_the_registry_refuses_their_schema() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    for status in [409, 422, 403] {
        fixture.registry.fail_with(Some(status));
        let deliveries = publish(&publisher, &records(1)).await;
        let [Delivery::Unreachable(why)] = &deliveries[..] else {
            panic!("{status}: {deliveries:?}");
        };
        assert!(why.contains("`schemas register`"), "{why}");
    }
    fixture.registry.fail_with(None);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_read_only_registry_is_an_outage_until_it_has_the_schema() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    fixture.registry.set_read_only(true);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
    let schema = avro::latest("orders.OrderCreated").unwrap();
    fixture.registry.add_schema(&schema.subject(TOPIC), schema.json);
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_others_are_sent() {
    let fixture = Fixture::start().await;
    let mut batch = records(3);
    batch[1].payload = vec![0; 2 * 1024 * 1024];
    let deliveries = publish(&fixture.publisher(), &batch).await;
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
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    reject(&fixture, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 4);
    let deliveries = publish(&publisher, &records(200)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    assert_eq!(fixture.records(200).len(), 200);
}

#[tokio::test]
async fn a_record_is_refused_only_once_it_was_sent_alone() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    // First in a batch, then alone.
    reject(&fixture, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Refused(_)]), "{deliveries:?}");
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_record_that_is_refused_alone_takes_no_other_with_it() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    // At least one batch per partition is rejected, so at most one record that is sent alone.
    let rejected = PARTITIONS.unsigned_abs() as usize + 1;
    reject(&fixture, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, rejected);
    let deliveries = publish(&publisher, &records(200)).await;
    let refused = deliveries.iter().filter(|d| matches!(d, Delivery::Refused(_))).count();
    let acknowledged = deliveries.iter().filter(|d| **d == Delivery::Acknowledged).count();
    assert!(refused <= 1, "{refused} records are refused for one");
    assert_eq!(refused + acknowledged, 200, "{deliveries:?}");
}

#[tokio::test]
async fn a_rejection_by_a_topic_setting_or_a_clock_is_an_outage() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    for error in [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    ] {
        reject(&fixture, error, 1);
        let deliveries = publish(&publisher, &records(1)).await;
        assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{error:?}: {deliveries:?}");
    }
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_batch_rejected_for_an_unclear_reason_fails_no_record_that_kafka_accepts_alone() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD;
    reject(&fixture, error, 1);
    let deliveries = publish(&publisher, &records(100)).await;
    assert!(deliveries.iter().all(|d| *d == Delivery::Acknowledged), "{deliveries:?}");
    // Kafka accepts no other record either, so the record may not be the cause.
    reject(&fixture, error, 2);
    let deliveries = publish(&publisher, &records(1)).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
}

/// Makes the next `requests` produce requests fail.
fn reject(fixture: &Fixture, error: RDKafkaRespErr, requests: usize) {
    fixture.cluster.request_errors(RDKafkaApiKey::Produce, &vec![error; requests]);
}

#[tokio::test]
async fn a_record_with_an_unknown_schema_waits_for_a_newer_relay() {
    let fixture = Fixture::start().await;
    let mut batch = records(2);
    batch[0].schema_fingerprint = vec![7; 32];
    let deliveries = publish(&fixture.publisher(), &batch).await;
    assert!(
        matches!(deliveries[..], [Delivery::Failed(_), Delivery::Acknowledged]),
        "{deliveries:?}"
    );
}

#[tokio::test]
async fn a_producer_with_a_fatal_error_is_replaced_and_the_record_can_be_sent_again() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    assert_eq!(publish(&publisher, &records(1)).await, [Delivery::Acknowledged]);

    // Fatal for an idempotent producer: it no longer knows which records were stored.
    fixture.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    );
    let batch = records(1);
    let deliveries = publish(&publisher, &batch).await;
    assert!(matches!(deliveries[..], [Delivery::Unreachable(_)]), "{deliveries:?}");
    assert_eq!(publish(&publisher, &batch).await, [Delivery::Acknowledged]);
}

#[tokio::test]
async fn a_registry_that_never_answers_does_not_exceed_the_time_limit() {
    let mut fixture = Fixture::start().await;
    // The system accepts connections, but nothing answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    fixture.args = KafkaArgs::at(fixture.cluster.bootstrap_servers(), url, TOPIC);
    let mut batch = records(avro::ordering().len());
    for (record, schema) in batch.iter_mut().zip(avro::ordering()) {
        record.schema_fingerprint = schema.fingerprint.to_vec();
    }
    let publisher = fixture.publisher();
    let started = Instant::now();
    // 12 s of them are reserved for sending the records.
    let deliveries =
        publisher.publish(&batch.iter().collect::<Vec<_>>(), Duration::from_secs(14)).await;
    assert!(started.elapsed() < Duration::from_secs(4), "took {:?}", started.elapsed());
    assert!(matches!(deliveries[0], Delivery::Unreachable(_)), "{deliveries:?}");
}

#[tokio::test]
async fn a_record_whose_result_could_not_be_known_in_time_is_not_sent() {
    let fixture = Fixture::start().await;
    let publisher = fixture.publisher();
    let batch = records(3);
    let batch: Vec<_> = batch.iter().collect();
    let started = Instant::now();
    let deliveries = publisher.publish(&batch, Duration::from_secs(11)).await;
    assert!(started.elapsed() < Duration::from_secs(1), "took {:?}", started.elapsed());
    assert_eq!(deliveries, [Delivery::Unsent, Delivery::Unsent, Delivery::Unsent]);
    assert_eq!(publisher.publish(&batch, CLAIM_TIME).await, vec![Delivery::Acknowledged; 3]);
    assert_eq!(fixture.records(3).len(), 3);
}

#[tokio::test]
async fn publishing_no_records_returns_at_once() {
    let fixture = Fixture::start().await;
    fixture.cluster.broker_down(-1).unwrap();
    assert_eq!(publish(&fixture.publisher(), &[]).await, []);
}
