use application::event_format::{EventReader, by_fingerprint};
use application::published::{Payload, PharmacyPayload, PublishedEvent};
use domain::pharmacy::{PharmacyEvent, PharmacyFact, Rejection, RejectionCode};
use domain::{EventId, OrderId, OrderVersion, Timestamp};
use uuid::Uuid;

use super::hex;
use crate::catalogue::parsed;
use crate::{decode, encode_pharmacy_event, latest, pharmacy, reader};

const FOURTH: OrderVersion = OrderVersion::FIRST.next().next().next();

/// Every fact, and what is published of it.
fn facts() -> Vec<(PharmacyFact, &'static str, PharmacyPayload)> {
    let order_version = FOURTH;
    let rejected = |code: RejectionCode| {
        let text = "Not available".parse().unwrap();
        let told = PharmacyPayload::Rejected {
            code: code.as_str().to_owned(),
            text: "Not available".to_owned(),
        };
        (PharmacyFact::Rejected(Rejection { code, text }), "PharmacyOrderRejected", told)
    };
    let mut facts = vec![
        (PharmacyFact::Confirmed, "PharmacyOrderConfirmed", PharmacyPayload::Confirmed),
        (
            PharmacyFact::PreparationStarted,
            "PharmacyOrderPreparationStarted",
            PharmacyPayload::PreparationStarted,
        ),
        (PharmacyFact::Ready, "PharmacyOrderReady", PharmacyPayload::Ready),
        (PharmacyFact::Dispensed, "PharmacyOrderDispensed", PharmacyPayload::Dispensed),
        (
            PharmacyFact::Cancelled { order_version },
            "PharmacyOrderCancelled",
            PharmacyPayload::Cancelled { order_version },
        ),
        (
            PharmacyFact::CancellationDeclined { order_version },
            "PharmacyOrderCancellationDeclined",
            PharmacyPayload::CancellationDeclined { order_version },
        ),
    ];
    facts.extend(RejectionCode::ALL.map(rejected));
    facts
}

fn event(fact: PharmacyFact) -> PharmacyEvent {
    PharmacyEvent {
        id: EventId::new(Uuid::from_u128(1)),
        occurred_at: Timestamp::from_micros(2).unwrap(),
        order_id: OrderId::new(Uuid::from_u128(3)),
        version: FOURTH,
        fact,
    }
}

#[test]
fn every_event_is_published_and_read_as_in_the_table() {
    let mut names = Vec::new();
    for (fact, event_type, payload) in facts() {
        let event = event(fact);
        let encoded = encode_pharmacy_event(&event).unwrap();
        assert_eq!(encoded.event_type, event_type);
        let schema = by_fingerprint(pharmacy(), &encoded.schema_fingerprint).unwrap();
        let told = PublishedEvent {
            event_id: event.id,
            occurred_at: event.occurred_at,
            order_id: event.order_id,
            version: FOURTH,
            payload,
        };
        assert_eq!(decode(parsed(schema).unwrap(), &encoded.payload).ok(), Some(told));
        names.push(event_type);
    }
    for schema in pharmacy() {
        assert!(names.contains(&schema.event_type), "{}", schema.event_type);
    }
}

#[test]
fn the_bytes_of_a_cancellation_stay_the_same() {
    let event = event(PharmacyFact::Cancelled { order_version: FOURTH });
    let id = |last| hex(format!("00000000-0000-0000-0000-00000000000{last}").as_bytes());
    let bytes = format!("48{}0448{}0808", id(1), id(3));
    assert_eq!(hex(&encode_pharmacy_event(&event).unwrap().payload), bytes);
}

#[test]
fn the_events_of_the_other_context_are_of_an_unknown_type() {
    let order_created = latest("orders.OrderCreated").unwrap();
    assert!(matches!(
        reader::<PharmacyPayload>(order_created.json),
        EventReader::UnknownType(name) if name == "orders.OrderCreated"
    ));
    for schema in pharmacy() {
        let reader = reader::<Payload>(schema.json);
        assert!(matches!(reader, EventReader::UnknownType(name) if name == schema.fullname));
    }
}
