use std::sync::LazyLock;

use apache_avro::Schema;
use application::event_format::PublishedSchema;
use sha2::{Digest, Sha256};

static SCHEMAS: LazyLock<[PublishedSchema; 3]> = LazyLock::new(|| {
    [
        schema(
            "OrderCreated",
            "orders.OrderCreated",
            1,
            include_str!("../../../schemas/order-created/v1.avsc"),
        ),
        schema(
            "OrderCreated",
            "orders.OrderCreated",
            2,
            include_str!("../../../schemas/order-created/v2.avsc"),
        ),
        schema(
            "OrderCancelled",
            "orders.OrderCancelled",
            1,
            include_str!("../../../schemas/order-cancelled/v1.avsc"),
        ),
    ]
});

fn schema(
    event_type: &'static str,
    fullname: &'static str,
    version: u32,
    json: &'static str,
) -> PublishedSchema {
    let fingerprint = Sha256::digest(json).into();
    PublishedSchema { event_type, fullname, version, json, fingerprint }
}

/// Every version of every event's schema, oldest first.
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
/// When the file is no Avro schema; a test prevents its release.
pub(crate) fn parsed(
    schema: &PublishedSchema,
) -> Result<&'static Schema, &'static apache_avro::Error> {
    static PARSED: LazyLock<Vec<Result<Schema, apache_avro::Error>>> =
        LazyLock::new(|| published().iter().map(|s| Schema::parse_str(s.json)).collect());
    let place = published().iter().position(|s| s.fingerprint == schema.fingerprint);
    PARSED[place.expect("only released schemas can be named")].as_ref()
}
