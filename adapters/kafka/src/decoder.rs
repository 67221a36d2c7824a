use std::time::Duration;

use application::event_format::EventReader;
use application::one_line;
use application::published::{Content, RawRecord, Unreadable};
use tracing::debug;

use super::registry::{Registry, RegistryError};
use super::wire::unframe;

/// How long an id that the registry does not know is asked for again before the record is given up.
/// The nodes of a registry learn from each other within seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest reason that is told. Avro's library quotes the values that it does not like.
const LONGEST_REASON: usize = 1_000;

/// Reads records of the topic: the writer's schema comes from the registry, the reader's is compiled in.
#[derive(Debug, Clone)]
pub struct EventDecoder {
    registry: Registry,
    patience: Duration,
}

/// The registry did not say what the record was written with. The record may be fine; try again.
#[derive(Debug, thiserror::Error)]
#[error("the writer's schema could not be had")]
pub struct RegistryUnavailable(#[source] pub RegistryError);

/// What a record says, as far as the registry tells at the moment.
pub(super) enum Reading {
    /// What it says.
    Says(Content),
    /// The registry does not know its schema, at least not yet.
    UnknownSchema {
        /// The id of the schema.
        id: u32,
        /// What the registry says.
        why: Unreadable,
    },
}

impl EventDecoder {
    /// A decoder that asks this registry.
    #[must_use]
    pub const fn new(registry: Registry) -> Self {
        Self { registry, patience: PATIENCE }
    }

    /// The same, but an id that the registry does not know is asked for again for so long only.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// What the record says, by what the registry knows now.
    ///
    /// # Errors
    /// When the registry cannot be asked: that says nothing about the record.
    pub async fn decode(&self, raw: &RawRecord) -> Result<Content, RegistryUnavailable> {
        Ok(match self.read(raw).await? {
            Reading::Says(content) => content,
            Reading::UnknownSchema { why, .. } => Content::Unreadable(why),
        })
    }

    /// What the record says, or that the registry does not know its schema.
    ///
    /// # Errors
    /// When the registry cannot be asked: that says nothing about the record.
    pub(super) async fn read(&self, raw: &RawRecord) -> Result<Reading, RegistryUnavailable> {
        let Some(value) = &raw.value else {
            return Ok(unreadable("the record is a tombstone: it has no value"));
        };
        let Some((id, datum)) = unframe(value) else {
            return Ok(unreadable("the value does not begin with 0x00 and a schema id"));
        };
        let reader = match self.registry.reader(id).await {
            Ok(reader) => reader,
            Err(error @ RegistryError::Unknown { .. }) => {
                return Ok(Reading::UnknownSchema { id, why: Unreadable(one_line(&error)) });
            }
            Err(error @ RegistryError::Impossible { .. }) => {
                return Ok(unreadable(one_line(&error)));
            }
            Err(error) => return Err(RegistryUnavailable(error)),
        };
        Ok(match reader.as_ref() {
            EventReader::Decodes(decode) => match decode(datum) {
                Ok(event) => Reading::Says(Content::Event(event)),
                Err(Unreadable(why)) => unreadable(why),
            },
            EventReader::UnknownType(name) => {
                let RawRecord { topic, partition, offset, .. } = raw;
                debug!(topic, partition, offset, "skipping {name}");
                Reading::Says(Content::UnknownType(name.clone()))
            }
            EventReader::Unusable(why) => {
                unreadable(format!("the schema {id} cannot be used: {why}"))
            }
        })
    }

    /// Whether the registry is the one that this topic was published with.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub(super) async fn trusts_registry(&self, topic: &str) -> Result<bool, RegistryUnavailable> {
        self.registry.knows_events_of(topic).await.map_err(RegistryUnavailable)
    }
}

fn unreadable(why: impl Into<String>) -> Reading {
    let mut why = why.into();
    if why.len() > LONGEST_REASON {
        why.truncate(why.floor_char_boundary(LONGEST_REASON));
        why.push('…');
    }
    Reading::Says(Content::Unreadable(Unreadable(why)))
}

/// The id of the schema that a record was written with, if it carries one.
pub(super) fn schema_id(raw: &RawRecord) -> Option<u32> {
    unframe(raw.value.as_deref()?).map(|(id, _)| id)
}
