//! The events of the pharmacy: their encoding, and what they tell.

use apache_avro::types::Value;
use application::event_format::{EncodedEvent, PublishedSchema};
use application::published::PharmacyPayload;
use domain::OrderVersion;
use domain::pharmacy::{PharmacyEvent, PharmacyFact};

use super::catalogue::{PharmacyEventType, pharmacy};
use super::decode::{DecodeError, DecodePayload, Fields};
use super::encode::{EncodeError, encode_record, field, text};

/// Encodes an internal event of the pharmacy as a published event, with the newest version of its
/// schema.
///
/// This is the only place where an internal event of the pharmacy becomes public.
///
/// # Errors
/// When the event does not fit its schema.
pub(super) fn encode(event: &PharmacyEvent) -> Result<EncodedEvent, EncodeError> {
    let asked = |version: OrderVersion| field("orderVersion", Value::Long(version.get()));
    let (event_type, told) = match &event.fact {
        PharmacyFact::Confirmed => (PharmacyEventType::PharmacyOrderConfirmed, vec![]),
        PharmacyFact::PreparationStarted => {
            (PharmacyEventType::PharmacyOrderPreparationStarted, vec![])
        }
        PharmacyFact::Ready => (PharmacyEventType::PharmacyOrderReady, vec![]),
        PharmacyFact::Dispensed => (PharmacyEventType::PharmacyOrderDispensed, vec![]),
        PharmacyFact::Rejected(rejection) => (
            PharmacyEventType::PharmacyOrderRejected,
            vec![
                field("code", text(&rejection.code.as_str())),
                field("text", text(&rejection.text)),
            ],
        ),
        PharmacyFact::Cancelled { order_version } => {
            (PharmacyEventType::PharmacyOrderCancelled, vec![asked(*order_version)])
        }
        PharmacyFact::CancellationDeclined { order_version } => {
            (PharmacyEventType::PharmacyOrderCancellationDeclined, vec![asked(*order_version)])
        }
    };
    let mut fields = vec![
        field("eventId", Value::Uuid(event.id.get())),
        field("occurredAt", Value::TimestampMicros(event.occurred_at.as_micros())),
        field("orderId", Value::Uuid(event.order_id.get())),
        field("pharmacyVersion", Value::Long(event.version.get())),
    ];
    fields.extend(told);
    encode_record(event_type.fullname(), fields)
}

impl DecodePayload for PharmacyPayload {
    const VERSION: &'static str = "pharmacyVersion";

    fn schemas() -> &'static [PublishedSchema] {
        pharmacy()
    }

    fn decode(fullname: &str, fields: &mut Fields) -> Result<Self, DecodeError> {
        use PharmacyEventType as Type;
        let event_type =
            Type::of(fullname).ok_or_else(|| DecodeError::UnknownRecord(fullname.to_owned()))?;
        Ok(match event_type {
            Type::PharmacyOrderConfirmed => Self::Confirmed,
            Type::PharmacyOrderPreparationStarted => Self::PreparationStarted,
            Type::PharmacyOrderReady => Self::Ready,
            Type::PharmacyOrderDispensed => Self::Dispensed,
            Type::PharmacyOrderRejected => {
                Self::Rejected { code: fields.string("code")?, text: fields.string("text")? }
            }
            Type::PharmacyOrderCancelled => {
                Self::Cancelled { order_version: fields.version("orderVersion")? }
            }
            Type::PharmacyOrderCancellationDeclined => {
                Self::CancellationDeclined { order_version: fields.version("orderVersion")? }
            }
        })
    }
}
