use std::sync::LazyLock;

use apache_avro::Schema;
use application::event_format::PublishedSchema;
use sha2::{Digest, Sha256};

/// Defines the types of the events that one context publishes. The namespace of their records is
/// `$namespace`.
macro_rules! event_types {
    ($(#[$doc:meta])* $name:ident, $namespace:literal, [$($event:ident),+ $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names, reason = "these are the names of the events")]
        pub(crate) enum $name {
            $($event),+
        }

        impl $name {
            /// The type whose records have this full name.
            pub(crate) fn of(fullname: &str) -> Option<Self> {
                [$(Self::$event),+].into_iter().find(|it| it.fullname() == fullname)
            }

            /// The name of the type.
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$event => stringify!($event)),+
                }
            }

            /// The full name of its records.
            pub(crate) const fn fullname(self) -> &'static str {
                match self {
                    $(Self::$event => concat!($namespace, ".", stringify!($event))),+
                }
            }

            const fn schema(self, version: u32, json: &'static str) -> Unhashed {
                Unhashed { event_type: self.name(), fullname: self.fullname(), version, json }
            }
        }
    };
}

event_types! {
    /// The types of the events of ordering.
    EventType, "orders", [
        OrderCreated,
        OrderConfirmed,
        OrderReady,
        OrderCompleted,
        OrderRejected,
        OrderCancellationRequested,
        OrderCancellationDeclined,
        OrderCancelled,
        OrderRedacted,
    ]
}

event_types! {
    /// The types of the events of the pharmacy.
    PharmacyEventType, "pharmacy", [
        PharmacyOrderConfirmed,
        PharmacyOrderPreparationStarted,
        PharmacyOrderReady,
        PharmacyOrderDispensed,
        PharmacyOrderRejected,
        PharmacyOrderCancelled,
        PharmacyOrderCancellationDeclined,
    ]
}

/// A schema whose fingerprint is not computed yet.
struct Unhashed {
    event_type: &'static str,
    fullname: &'static str,
    version: u32,
    json: &'static str,
}

/// The text of a released schema.
macro_rules! avsc {
    ($path:literal) => {
        include_str!(concat!("../../../schemas/", $path, ".avsc"))
    };
}

static ORDERING: LazyLock<Vec<PublishedSchema>> = LazyLock::new(|| {
    use EventType as Type;
    hashed([
        Type::OrderCreated.schema(1, avsc!("order-created/v1")),
        Type::OrderCreated.schema(2, avsc!("order-created/v2")),
        Type::OrderCreated.schema(3, avsc!("order-created/v3")),
        Type::OrderConfirmed.schema(1, avsc!("order-confirmed/v1")),
        Type::OrderReady.schema(1, avsc!("order-ready/v1")),
        Type::OrderCompleted.schema(1, avsc!("order-completed/v1")),
        Type::OrderRejected.schema(1, avsc!("order-rejected/v1")),
        Type::OrderCancellationRequested.schema(1, avsc!("order-cancellation-requested/v1")),
        Type::OrderCancellationDeclined.schema(1, avsc!("order-cancellation-declined/v1")),
        Type::OrderCancelled.schema(1, avsc!("order-cancelled/v1")),
        Type::OrderRedacted.schema(1, avsc!("order-redacted/v1")),
    ])
});

static PHARMACY: LazyLock<Vec<PublishedSchema>> = LazyLock::new(|| {
    use PharmacyEventType as Type;
    hashed([
        Type::PharmacyOrderConfirmed.schema(1, avsc!("pharmacy-order-confirmed/v1")),
        Type::PharmacyOrderPreparationStarted
            .schema(1, avsc!("pharmacy-order-preparation-started/v1")),
        Type::PharmacyOrderReady.schema(1, avsc!("pharmacy-order-ready/v1")),
        Type::PharmacyOrderDispensed.schema(1, avsc!("pharmacy-order-dispensed/v1")),
        Type::PharmacyOrderRejected.schema(1, avsc!("pharmacy-order-rejected/v1")),
        Type::PharmacyOrderCancelled.schema(1, avsc!("pharmacy-order-cancelled/v1")),
        Type::PharmacyOrderCancellationDeclined
            .schema(1, avsc!("pharmacy-order-cancellation-declined/v1")),
    ])
});

fn hashed(schemas: impl IntoIterator<Item = Unhashed>) -> Vec<PublishedSchema> {
    let hash = |Unhashed { event_type, fullname, version, json }| PublishedSchema {
        event_type,
        fullname,
        version,
        json,
        fingerprint: Sha256::digest(json).into(),
    };
    schemas.into_iter().map(hash).collect()
}

/// All released versions of the schemas of ordering's events. The versions of an event are in
/// ascending sequence.
#[must_use]
pub fn ordering() -> &'static [PublishedSchema] {
    &ORDERING
}

/// All released versions of the schemas of the pharmacy's events. The versions of an event are in
/// ascending sequence.
#[must_use]
pub fn pharmacy() -> &'static [PublishedSchema] {
    &PHARMACY
}

/// All released versions of all events' schemas.
pub fn published() -> impl Iterator<Item = &'static PublishedSchema> {
    ordering().iter().chain(pharmacy())
}

/// The newest version of the record with this full name.
#[must_use]
pub fn latest(fullname: &str) -> Option<&'static PublishedSchema> {
    newest(ordering(), fullname).or_else(|| newest(pharmacy(), fullname))
}

/// The newest of these schemas of the record with this full name.
pub(crate) fn newest(
    schemas: &'static [PublishedSchema],
    fullname: &str,
) -> Option<&'static PublishedSchema> {
    schemas.iter().filter(|s| s.fullname == fullname).max_by_key(|schema| schema.version)
}

/// A released schema, parsed.
///
/// # Errors
/// When the file is not an Avro schema. A test prevents the release of such a file.
pub(crate) fn parsed(
    schema: &PublishedSchema,
) -> Result<&'static Schema, &'static apache_avro::Error> {
    static PARSED: LazyLock<Vec<Result<Schema, apache_avro::Error>>> =
        LazyLock::new(|| published().map(|s| Schema::parse_str(s.json)).collect());
    let index = published().position(|s| s.fingerprint == schema.fingerprint);
    PARSED[index.expect("only released schemas can be named")].as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_released_schema_is_of_a_type_that_can_be_decoded() {
        for schema in ordering() {
            assert!(EventType::of(schema.fullname).is_some(), "{}", schema.fullname);
        }
        for schema in pharmacy() {
            assert!(PharmacyEventType::of(schema.fullname).is_some(), "{}", schema.fullname);
        }
    }
}
