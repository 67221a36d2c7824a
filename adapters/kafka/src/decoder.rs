use std::time::Duration;

use application::event_format::EventReader;
use application::one_line;
use application::published::{Content, RawRecord, Unreadable};
use tracing::debug;

use super::registry::{Registry, RegistryError};
use super::wire::unframe;

/// How long an unknown schema id is looked up again before its record becomes a dead letter. The
/// nodes of a registry replicate schemas within seconds.
const UNKNOWN_SCHEMA_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum length of a reason. Error messages of the Avro library can contain whole values.
const MAX_REASON_BYTES: usize = 1_000;

/// Decodes records of the topic. The writer's schema comes from the registry; the reader's schema
/// is compiled in.
#[derive(Debug, Clone)]
pub struct EventDecoder {
    registry: Registry,
    unknown_schema_timeout: Duration,
}

/// The registry did not return the writer's schema. The record may be valid; decode it again later.
#[derive(Debug, thiserror::Error)]
#[error("cannot get the writer's schema")]
pub struct RegistryUnavailable(#[source] pub RegistryError);

/// The result of decoding a record with the schemas that the registry knows now.
pub(super) enum Decoded {
    /// The content of the record.
    Content(Content),
    /// The registry does not know the schema, at least not yet.
    UnknownSchema {
        /// The id of the schema.
        id: u32,
        /// The registry's message.
        why: Unreadable,
    },
}

impl EventDecoder {
    /// A decoder that gets writers' schemas from this registry.
    #[must_use]
    pub const fn new(registry: Registry) -> Self {
        Self { registry, unknown_schema_timeout: UNKNOWN_SCHEMA_TIMEOUT }
    }

    /// Changes how long an unknown schema id is looked up again.
    #[must_use]
    pub fn with_unknown_schema_timeout(self, unknown_schema_timeout: Duration) -> Self {
        Self { unknown_schema_timeout, ..self }
    }

    pub(super) const fn unknown_schema_timeout(&self) -> Duration {
        self.unknown_schema_timeout
    }

    /// Decodes a record. A record whose schema the registry does not know is unreadable.
    ///
    /// # Errors
    /// When the registry is unavailable. The record may be valid.
    pub async fn decode(&self, raw: &RawRecord) -> Result<Content, RegistryUnavailable> {
        Ok(match self.read(raw).await? {
            Decoded::Content(content) => content,
            Decoded::UnknownSchema { why, .. } => Content::Unreadable(why),
        })
    }

    /// Decodes a record, unless the registry does not know its schema.
    ///
    /// # Errors
    /// When the registry is unavailable. The record may be valid.
    pub(super) async fn read(&self, raw: &RawRecord) -> Result<Decoded, RegistryUnavailable> {
        let Some(value) = &raw.value else {
            return Ok(unreadable("the record is a tombstone: it has no value"));
        };
        let Some((id, datum)) = unframe(value) else {
            return Ok(unreadable("the value does not begin with 0x00 and a schema id"));
        };
        let reader = match self.registry.reader(id).await {
            Ok(reader) => reader,
            Err(error @ RegistryError::Unknown { .. }) => {
                return Ok(Decoded::UnknownSchema { id, why: Unreadable(one_line(&error)) });
            }
            Err(error @ RegistryError::Impossible { .. }) => {
                return Ok(unreadable(one_line(&error)));
            }
            Err(error) => return Err(RegistryUnavailable(error)),
        };
        Ok(match reader.as_ref() {
            EventReader::Decodes(decode) => match decode(datum) {
                Ok(event) => Decoded::Content(Content::Event(event)),
                Err(Unreadable(why)) => unreadable(why),
            },
            EventReader::UnknownType(name) => {
                let RawRecord { topic, partition, offset, .. } = raw;
                debug!(topic, partition, offset, "skipping {name}");
                Decoded::Content(Content::UnknownType(name.clone()))
            }
            EventReader::Unusable(why) => {
                unreadable(format!("the schema {id} cannot be used: {why}"))
            }
        })
    }

    /// Whether the registry has schemas of the events that are published to this topic.
    ///
    /// # Errors
    /// When the registry is unavailable.
    pub(super) async fn registry_knows_topic(
        &self,
        topic: &str,
    ) -> Result<bool, RegistryUnavailable> {
        self.registry.knows_events_of(topic).await.map_err(RegistryUnavailable)
    }
}

fn unreadable(why: impl Into<String>) -> Decoded {
    let mut why = why.into();
    if why.len() > MAX_REASON_BYTES {
        why.truncate(why.floor_char_boundary(MAX_REASON_BYTES));
        why.push('…');
    }
    Decoded::Content(Content::Unreadable(Unreadable(why)))
}

/// The schema id in a record's value. `None` if the value is missing or has another format.
pub(super) fn schema_id(raw: &RawRecord) -> Option<u32> {
    unframe(raw.value.as_deref()?).map(|(id, _)| id)
}
