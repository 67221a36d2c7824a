use std::sync::LazyLock;

use apache_avro::Schema;
use sha2::{Digest, Sha256};

/// One released version of an event's schema.
///
/// It is known by the SHA-256 of its file, which the outbox keeps beside every payload. The hash
/// stands for the very bytes that `schemas/released.txt` lists.
#[derive(Debug)]
pub struct PublishedSchema {
    /// The event's type, such as `OrderCreated`.
    pub event_type: &'static str,
    /// The record's full name, such as `orders.OrderCreated`.
    pub fullname: &'static str,
    /// The version of the schema, from 1 on.
    pub version: u32,
    /// The schema as it was released.
    pub json: &'static str,
    /// SHA-256 of the schema as it was released.
    pub fingerprint: [u8; 32],
    parsed: Result<Schema, apache_avro::Error>,
}

static CATALOGUE: LazyLock<[PublishedSchema; 3]> = LazyLock::new(|| {
    [
        PublishedSchema::new(
            "OrderCreated",
            "orders.OrderCreated",
            1,
            include_str!("../../../schemas/order-created/v1.avsc"),
        ),
        PublishedSchema::new(
            "OrderCreated",
            "orders.OrderCreated",
            2,
            include_str!("../../../schemas/order-created/v2.avsc"),
        ),
        PublishedSchema::new(
            "OrderCancelled",
            "orders.OrderCancelled",
            1,
            include_str!("../../../schemas/order-cancelled/v1.avsc"),
        ),
    ]
});

impl PublishedSchema {
    fn new(
        event_type: &'static str,
        fullname: &'static str,
        version: u32,
        json: &'static str,
    ) -> Self {
        let fingerprint = Sha256::digest(json).into();
        Self { event_type, fullname, version, json, fingerprint, parsed: Schema::parse_str(json) }
    }

    /// The subject it is registered under: topic-record-name strategy, so that one topic can
    /// carry several types of event.
    #[must_use]
    pub fn subject(&self, topic: &str) -> String {
        format!("{topic}-{}", self.fullname)
    }

    /// The schema, parsed.
    ///
    /// # Errors
    /// When the file is no Avro schema; a test keeps that from being released.
    pub fn schema(&self) -> Result<&Schema, &apache_avro::Error> {
        self.parsed.as_ref()
    }
}

/// Every version of every event's schema, oldest first.
#[must_use]
pub fn published() -> &'static [PublishedSchema] {
    CATALOGUE.as_slice()
}

/// The schema with this SHA-256, if it is compiled in.
#[must_use]
pub fn by_fingerprint(fingerprint: &[u8]) -> Option<&'static PublishedSchema> {
    published().iter().find(|schema| schema.fingerprint == fingerprint)
}

/// The newest version of the record with this full name.
#[must_use]
pub fn latest(fullname: &str) -> Option<&'static PublishedSchema> {
    published().iter().filter(|s| s.fullname == fullname).max_by_key(|schema| schema.version)
}
