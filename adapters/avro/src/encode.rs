use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use application::event_format::EncodedEvent;
use domain::ordering::{
    MedicationCoding, OrderCancellationRequested, OrderCancelled, OrderCreated, OrderEvent,
    OrderFact, OrderItem, Rejection,
};

use super::catalogue::{EventType, latest, parsed};
use super::redacted_error::RedactedAvroError;

/// Why an event cannot be encoded. It was not stored.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// No schema with this name is compiled in.
    #[error("there is no schema of {0}")]
    NoSchema(&'static str),
    /// The compiled-in schema cannot be parsed.
    #[error("cannot parse the schema of {fullname}")]
    Schema {
        /// The record's full name.
        fullname: &'static str,
        /// What is wrong with it.
        #[source]
        source: &'static apache_avro::Error,
    },
    /// The event does not fit its schema.
    #[error("the event does not fit the schema of {fullname}")]
    Datum {
        /// The record's full name.
        fullname: &'static str,
        /// The error of the Avro library.
        #[source]
        source: RedactedAvroError,
    },
}

/// Encodes an internal event of an order as a published event, with the newest version of its
/// schema.
///
/// This is the only place where an internal event becomes public. The exhaustive `match` makes sure
/// that a new kind of event is not forgotten.
///
/// # Errors
/// When the event does not fit its schema.
pub fn encode(event: &OrderEvent) -> Result<EncodedEvent, EncodeError> {
    let mut fields = vec![
        field("eventId", Value::Uuid(event.id.get())),
        field("occurredAt", Value::TimestampMicros(event.occurred_at.as_micros())),
        field("orderId", Value::Uuid(event.order_id.get())),
        field("orderVersion", Value::Long(event.version.get())),
    ];
    let event_type = match &event.fact {
        OrderFact::Created(OrderCreated { customer_id, customer_name, items, note }) => {
            let items = items.as_slice().iter().map(item).collect();
            fields.push(field("customerName", text(customer_name)));
            fields.push(field("items", Value::Array(items)));
            fields.push(field("note", optional(note.as_ref().map(text))));
            fields.push(field("customerId", optional(customer_id.as_ref().map(text))));
            EventType::OrderCreated
        }
        OrderFact::Confirmed => EventType::OrderConfirmed,
        OrderFact::Ready => EventType::OrderReady,
        OrderFact::Completed => EventType::OrderCompleted,
        OrderFact::Rejected(Rejection { code, text: reason }) => {
            fields.push(field("code", text(code)));
            fields.push(field("text", text(reason)));
            EventType::OrderRejected
        }
        OrderFact::CancellationRequested(OrderCancellationRequested { reason }) => {
            fields.push(field("reason", text(reason)));
            EventType::OrderCancellationRequested
        }
        OrderFact::CancellationDeclined => EventType::OrderCancellationDeclined,
        OrderFact::Cancelled(OrderCancelled { reason }) => {
            fields.push(field("reason", text(reason)));
            EventType::OrderCancelled
        }
        OrderFact::Redacted => EventType::OrderRedacted,
    };
    encode_record(event_type.fullname(), fields)
}

/// Encodes a record with the newest version of its schema.
pub(super) fn encode_record(
    fullname: &'static str,
    fields: Vec<(String, Value)>,
) -> Result<EncodedEvent, EncodeError> {
    let published = latest(fullname).ok_or(EncodeError::NoSchema(fullname))?;
    let schema = parsed(published).map_err(|source| EncodeError::Schema { fullname, source })?;
    let payload = GenericDatumWriter::builder(schema)
        .build()
        .and_then(|writer| writer.write_value_to_vec(Value::Record(fields)))
        .map_err(|source| EncodeError::Datum { fullname, source: source.into() })?;
    Ok(EncodedEvent {
        event_type: published.event_type,
        schema_fingerprint: published.fingerprint,
        payload,
    })
}

fn item(item: &OrderItem) -> Value {
    Value::Record(vec![
        field("productId", Value::Long(item.product_id.get())),
        field("quantity", Value::Int(item.quantity.get())),
        field("medication", optional(item.medication.as_ref().map(medication))),
    ])
}

fn medication(MedicationCoding { system, code, display }: &MedicationCoding) -> Value {
    Value::Record(vec![
        field("system", text(system)),
        field("code", text(code)),
        field("display", optional(display.as_ref().map(text))),
    ])
}

pub(super) fn text(text: &impl ToString) -> Value {
    Value::String(text.to_string())
}

/// An optional value: a union whose first branch is null.
fn optional(value: Option<Value>) -> Value {
    match value {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(value) => Value::Union(1, Box::new(value)),
    }
}

pub(super) fn field(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}
