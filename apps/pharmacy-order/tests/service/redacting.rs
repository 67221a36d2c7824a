//! A redacted order, from Kafka to the API of the pharmacy.

use domain::REDACTED_TEXT;
use domain::ordering::Order;
use runtime::clock;
use test_support::{eventually, new_order, outbox_record};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, path_of};

/// An order that its customer wanted to cancel, and that was redacted then.
fn redacted_order() -> Order {
    let mut order = new_order("Ada");
    let reason = "Ada is well again".parse().unwrap();
    assert!(order.request_cancellation(reason, clock::event_stamp()).is_ok());
    assert!(order.redact(clock::event_stamp()).is_applied());
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_order_is_shown_without_texts_in_whatever_sequence_its_events_arrive() {
    let fixture = Fixture::only_kafka_up().await;
    fixture.postgres_up().await;
    fixture.registry_up().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(fixture.config(), stop.clone()));

    let orders = [redacted_order(), redacted_order()];
    let mut events = orders.clone().map(|order| order.recorded().to_vec());
    events[1].reverse();
    for event in events.iter().flatten() {
        fixture.publish_record(&outbox_record(event)).await;
    }
    for order in &orders {
        let path = path_of(order.id());
        eventually("all events of the order are applied", async || {
            fixture
                .get(&path)
                .await
                .is_some_and(|(_, order)| order["version"] == 3 && order["missing"] == 0)
        })
        .await;
        let (_, shown) = fixture.get(&path).await.unwrap();
        assert_eq!(shown["customerName"], REDACTED_TEXT);
        assert_eq!(shown["cancellation"]["reason"], REDACTED_TEXT);
        assert_eq!(shown["status"], "cancelled");
        assert_eq!(shown["items"][0]["productId"], 7);
        assert!(!shown.to_string().contains("Ada"), "{shown}");
    }
    stop.cancel();
    service.await.unwrap().unwrap();
}
