use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::event_format::{EventReader, EventSchemas};
use application::one_line;
use application::published::{Content, Payload, RawRecord, Unreadable};
use schema_registry_converter::schema_registry_common::{RegisteredSchema, SchemaType};
use tracing::debug;

use super::registry::{Registry, RegistryError, lock};
use super::wire::unframe;

/// How long an unknown schema id is looked up again before its record becomes a dead letter. The
/// nodes of a registry replicate schemas within seconds.
const UNKNOWN_SCHEMA_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum length of a reason. Error messages of the Avro library can contain whole values.
const MAX_REASON_BYTES: usize = 1_000;

/// Decodes records of a topic. The writer's schema comes from the registry; the reader's schema is
/// compiled in.
///
/// Readers are cached without limit of time, because an id never changes its meaning.
pub struct EventDecoder<P = Payload> {
    registry: Registry,
    schemas: EventSchemas<P>,
    readers: Arc<Mutex<HashMap<u32, Arc<EventReader<P>>>>>,
    unknown_schema_timeout: Duration,
}

impl<P> Clone for EventDecoder<P> {
    fn clone(&self) -> Self {
        Self {
            registry: self.registry.clone(),
            schemas: self.schemas,
            readers: Arc::clone(&self.readers),
            unknown_schema_timeout: self.unknown_schema_timeout,
        }
    }
}

impl<P> fmt::Debug for EventDecoder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDecoder").finish_non_exhaustive()
    }
}

/// The registry did not return the writer's schema. The record may be valid; decode it again later.
#[derive(Debug, thiserror::Error)]
#[error("cannot get the writer's schema")]
pub struct RegistryUnavailable(#[source] pub RegistryError);

/// The result of decoding a record with the schemas that the registry knows now.
pub(super) enum Decoded<P> {
    /// The content of the record.
    Content(Content<P>),
    /// The registry does not know the schema, at least not yet.
    UnknownSchema {
        /// The id of the schema.
        id: u32,
        /// The registry's message.
        why: Unreadable,
    },
}

impl<P> EventDecoder<P> {
    /// A decoder that gets writers' schemas from this registry. `schemas` are those of the events.
    #[must_use]
    pub fn new(registry: Registry, schemas: EventSchemas<P>) -> Self {
        let readers = Arc::default();
        Self { registry, schemas, readers, unknown_schema_timeout: UNKNOWN_SCHEMA_TIMEOUT }
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
    pub async fn decode(&self, raw: &RawRecord) -> Result<Content<P>, RegistryUnavailable> {
        Ok(match self.read(raw).await? {
            Decoded::Content(content) => content,
            Decoded::UnknownSchema { why, .. } => Content::Unreadable(why),
        })
    }

    /// Decodes a record, unless the registry does not know its schema.
    ///
    /// # Errors
    /// When the registry is unavailable. The record may be valid.
    pub(super) async fn read(&self, raw: &RawRecord) -> Result<Decoded<P>, RegistryUnavailable> {
        let Some(value) = &raw.value else {
            return Ok(unreadable("the record is a tombstone: it has no value"));
        };
        let Some((id, datum)) = unframe(value) else {
            return Ok(unreadable("the value does not begin with 0x00 and a schema id"));
        };
        let reader = match self.reader(id).await {
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

    /// The reader for records with this schema id.
    async fn reader(&self, id: u32) -> Result<Arc<EventReader<P>>, RegistryError> {
        if let Some(reader) = lock(&self.readers).get(&id) {
            return Ok(Arc::clone(reader));
        }
        let RegisteredSchema { schema, schema_type, .. } = self.registry.fetch(id).await?;
        let reader = Arc::new(match schema_type {
            SchemaType::Avro => (self.schemas.reader)(&schema),
            other => EventReader::UnknownType(format!("a schema of type {other:?}")),
        });
        lock(&self.readers).insert(id, Arc::clone(&reader));
        Ok(reader)
    }

    /// Whether the registry has schemas of the events that are published to this topic.
    ///
    /// # Errors
    /// When the registry is unavailable.
    pub(super) async fn registry_knows_topic(
        &self,
        topic: &str,
    ) -> Result<bool, RegistryUnavailable> {
        let schemas = (self.schemas.released)();
        self.registry.knows_one_of(schemas, topic).await.map_err(RegistryUnavailable)
    }
}

fn unreadable<P>(why: impl Into<String>) -> Decoded<P> {
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
