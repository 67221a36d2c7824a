use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::ResolvedSchema;
use apache_avro::types::Value;
use application::event_format::PublishedSchema;
use application::published::{Payload, PublishedEvent, PublishedItem, PublishedMedication};
use domain::{EventId, OrderId, OrderVersion, Timestamp};
use uuid::Uuid;

use super::catalogue::{EventType, newest, ordering, parsed};
use super::datum::{self, DatumError};
use super::redacted_error::RedactedAvroError;

/// Why bytes cannot be decoded as an event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The type of the record is unknown.
    #[error("{0} is not a known event type")]
    UnknownRecord(String),
    /// The compiled-in schema cannot be parsed.
    #[error("cannot parse the schema of {fullname}")]
    Schema {
        /// The record's full name.
        fullname: &'static str,
        /// What is wrong with it.
        #[source]
        source: &'static apache_avro::Error,
    },
    /// The bytes are damaged, or the writer's schema is incompatible with ours.
    #[error("the bytes are not a valid {fullname}")]
    Datum {
        /// The record's full name.
        fullname: String,
        /// The error of the Avro library.
        #[source]
        source: RedactedAvroError,
    },
    /// The bytes are damaged, or exceed the limits of an event.
    #[error("the bytes are not a valid {fullname}")]
    Bytes {
        /// The record's full name.
        fullname: String,
        /// What is wrong with them.
        #[source]
        source: DatumError,
    },
    /// There are more bytes after the end of the event.
    #[error("there are {0} more bytes after the end of the event")]
    Trailing(usize),
    /// A field is missing or its value is invalid.
    #[error("the field {0} is missing or has an invalid value")]
    Field(&'static str),
}

/// What the events of one context tell, which is decoded from the fields of their records.
pub trait DecodePayload: Sized {
    /// The field with the publisher's version of the order.
    const VERSION: &'static str;

    /// The released schemas of the events.
    fn schemas() -> &'static [PublishedSchema];

    /// What the record with this full name tells.
    ///
    /// # Errors
    /// When the context publishes no such record, or a field is missing or invalid.
    fn decode(fullname: &str, fields: &mut Fields) -> Result<Self, DecodeError>;
}

/// Decodes an event that was written with `writer`, which can be any version of its schema.
///
/// The data is resolved to the newest compiled-in version. Fields that it does not have are
/// dropped. Fields that the writer did not have get their defaults.
///
/// # Errors
/// When the bytes are damaged, or are not an event of a known type.
pub fn decode<P: DecodePayload>(
    writer: &Schema,
    datum: &[u8],
) -> Result<PublishedEvent<P>, DecodeError> {
    let fullname = writer.name().map(ToString::to_string).unwrap_or_default();
    let Some(published) = newest(P::schemas(), &fullname) else {
        return Err(DecodeError::UnknownRecord(fullname));
    };
    let reader = parsed(published)
        .map_err(|source| DecodeError::Schema { fullname: published.fullname, source })?;
    let broken =
        |fullname, source| DecodeError::Datum { fullname, source: RedactedAvroError::from(source) };
    let names = match ResolvedSchema::new(writer) {
        Ok(names) => names,
        Err(source) => return Err(broken(fullname, source)),
    };
    if let Err(source) = datum::check(writer, names.get_names(), datum) {
        return Err(DecodeError::Bytes { fullname, source });
    }
    let mut rest = datum;
    let value =
        read(writer, names, reader, &mut rest).map_err(|source| broken(fullname, source))?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing(rest.len()));
    }
    published_event(published.fullname, Fields::of(value))
}

fn read<'s>(
    writer: &'s Schema,
    names: ResolvedSchema<'s>,
    reader: &'s Schema,
    datum: &mut &[u8],
) -> Result<Value, apache_avro::Error> {
    GenericDatumReader::builder(writer)
        .resolved_writer_schemata(names)
        .reader_schema(reader)
        .build()?
        .read_value(datum)
}

fn published_event<P: DecodePayload>(
    fullname: &str,
    mut fields: Fields,
) -> Result<PublishedEvent<P>, DecodeError> {
    Ok(PublishedEvent {
        event_id: EventId::new(fields.uuid("eventId")?),
        occurred_at: Timestamp::from_micros(fields.micros("occurredAt")?)
            .map_err(|_| DecodeError::Field("occurredAt"))?,
        order_id: OrderId::new(fields.uuid("orderId")?),
        version: fields.version(P::VERSION)?,
        payload: P::decode(fullname, &mut fields)?,
    })
}

impl DecodePayload for Payload {
    const VERSION: &'static str = "orderVersion";

    fn schemas() -> &'static [PublishedSchema] {
        ordering()
    }

    fn decode(fullname: &str, fields: &mut Fields) -> Result<Self, DecodeError> {
        let event_type = EventType::of(fullname)
            .ok_or_else(|| DecodeError::UnknownRecord(fullname.to_owned()))?;
        Ok(match event_type {
            EventType::OrderCreated => Self::OrderCreated {
                customer_id: fields.optional("customerId", string)?,
                customer_name: fields.string("customerName")?,
                items: fields.array("items")?.into_iter().map(item).collect::<Result<_, _>>()?,
                note: fields.optional("note", string)?,
            },
            EventType::OrderConfirmed => Self::OrderConfirmed,
            EventType::OrderReady => Self::OrderReady,
            EventType::OrderCompleted => Self::OrderCompleted,
            EventType::OrderRejected => {
                Self::OrderRejected { code: fields.string("code")?, text: fields.string("text")? }
            }
            EventType::OrderCancellationRequested => {
                Self::OrderCancellationRequested { reason: fields.string("reason")? }
            }
            EventType::OrderCancellationDeclined => Self::OrderCancellationDeclined,
            EventType::OrderCancelled => Self::OrderCancelled { reason: fields.string("reason")? },
            EventType::OrderRedacted => Self::OrderRedacted,
        })
    }
}

fn item(value: Value) -> Result<PublishedItem, DecodeError> {
    let mut fields = Fields::of(value);
    Ok(PublishedItem {
        product_id: fields.long("productId")?,
        quantity: fields.int("quantity")?,
        medication: fields.optional("medication", Some)?.map(medication).transpose()?,
    })
}

fn medication(value: Value) -> Result<PublishedMedication, DecodeError> {
    let mut fields = Fields::of(value);
    Ok(PublishedMedication {
        system: fields.string("system")?,
        code: fields.string("code")?,
        display: fields.optional("display", string)?,
    })
}

fn string(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

/// The fields of a record, from which they are removed by name.
#[derive(Debug)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    fn of(value: Value) -> Self {
        match value {
            Value::Record(fields) => Self(fields),
            _ => Self(Vec::new()),
        }
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let index = self.0.iter().position(|(field, _)| field == name);
        index.and_then(|index| convert(self.0.swap_remove(index).1)).ok_or(DecodeError::Field(name))
    }

    fn uuid(&mut self, name: &'static str) -> Result<Uuid, DecodeError> {
        self.take(name, |value| if let Value::Uuid(id) = value { Some(id) } else { None })
    }

    fn micros(&mut self, name: &'static str) -> Result<i64, DecodeError> {
        self.take(name, |v| if let Value::TimestampMicros(at) = v { Some(at) } else { None })
    }

    fn long(&mut self, name: &'static str) -> Result<i64, DecodeError> {
        self.take(name, |value| if let Value::Long(number) = value { Some(number) } else { None })
    }

    pub(super) fn version(&mut self, name: &'static str) -> Result<OrderVersion, DecodeError> {
        OrderVersion::try_from(self.long(name)?).map_err(|_| DecodeError::Field(name))
    }

    fn int(&mut self, name: &'static str) -> Result<i32, DecodeError> {
        self.take(name, |value| if let Value::Int(number) = value { Some(number) } else { None })
    }

    pub(super) fn string(&mut self, name: &'static str) -> Result<String, DecodeError> {
        self.take(name, string)
    }

    /// Takes an optional field: a union of null and another type.
    fn optional<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        self.take(name, |value| match value {
            Value::Union(_, value) if *value == Value::Null => Some(None),
            Value::Union(_, value) => convert(*value).map(Some),
            _ => None,
        })
    }

    fn array(&mut self, name: &'static str) -> Result<Vec<Value>, DecodeError> {
        self.take(name, |value| if let Value::Array(values) = value { Some(values) } else { None })
    }
}
