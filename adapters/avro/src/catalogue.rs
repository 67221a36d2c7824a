use std::sync::LazyLock;

use apache_avro::Schema;
use application::event_format::PublishedSchema;
use sha2::{Digest, Sha256};

/// The types of the published events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    OrderCreated,
    OrderCancelled,
}

impl EventType {
    /// The type whose records have this full name.
    pub(crate) fn of(fullname: &str) -> Option<Self> {
        [Self::OrderCreated, Self::OrderCancelled].into_iter().find(|t| t.fullname() == fullname)
    }

    /// The name of the type.
    const fn name(self) -> &'static str {
        match self {
            Self::OrderCreated => "OrderCreated",
            Self::OrderCancelled => "OrderCancelled",
        }
    }

    /// The full name of its records.
    pub(crate) const fn fullname(self) -> &'static str {
        match self {
            Self::OrderCreated => "orders.OrderCreated",
            Self::OrderCancelled => "orders.OrderCancelled",
        }
    }
}

static SCHEMAS: LazyLock<[PublishedSchema; 3]> = LazyLock::new(|| {
    use EventType::{OrderCancelled, OrderCreated};
    [
        schema(OrderCreated, 1, include_str!("../../../schemas/order-created/v1.avsc")),
        schema(OrderCreated, 2, include_str!("../../../schemas/order-created/v2.avsc")),
        schema(OrderCancelled, 1, include_str!("../../../schemas/order-cancelled/v1.avsc")),
    ]
});

fn schema(event_type: EventType, version: u32, json: &'static str) -> PublishedSchema {
    PublishedSchema {
        event_type: event_type.name(),
        fullname: event_type.fullname(),
        version,
        json,
        fingerprint: Sha256::digest(json).into(),
    }
}

/// All released versions of all events' schemas. The versions of an event are in ascending
/// sequence.
#[must_use]
pub fn published() -> &'static [PublishedSchema] {
    SCHEMAS.as_slice()
}

/// The newest version of the record with this full name.
#[must_use]
pub fn latest(fullname: &str) -> Option<&'static PublishedSchema> {
    published().iter().filter(|s| s.fullname == fullname).max_by_key(|schema| schema.version)
}

/// A released schema, parsed.
///
/// # Errors
/// When the file is not an Avro schema. A test prevents the release of such a file.
pub(crate) fn parsed(
    schema: &PublishedSchema,
) -> Result<&'static Schema, &'static apache_avro::Error> {
    static PARSED: LazyLock<Vec<Result<Schema, apache_avro::Error>>> =
        LazyLock::new(|| published().iter().map(|s| Schema::parse_str(s.json)).collect());
    let index = published().iter().position(|s| s.fingerprint == schema.fingerprint);
    PARSED[index.expect("only released schemas can be named")].as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_released_schema_is_of_a_type_that_can_be_decoded() {
        for schema in published() {
            assert!(EventType::of(schema.fullname).is_some(), "{}", schema.fullname);
        }
    }
}
