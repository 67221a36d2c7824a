use application::published::{Announcement, RawRecord, Unreadable};

use super::registry::{Registry, RegistryError};
use super::wire::unframe;
use crate::{avro, one_line};

/// Reads records of the topic: the writer's schema comes from the registry, the reader's is compiled in.
#[derive(Debug, Clone)]
pub struct AnnouncementDecoder {
    registry: Registry,
}

/// The registry did not say what the record was written with. The record may be fine; try again.
#[derive(Debug, thiserror::Error)]
#[error("the writer's schema could not be had")]
pub struct RegistryUnavailable(#[source] pub RegistryError);

impl AnnouncementDecoder {
    /// A decoder that asks this registry.
    #[must_use]
    pub const fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// What the record says, or why nobody can read it.
    ///
    /// # Errors
    /// When the registry cannot be reached: that says nothing about the record.
    pub async fn decode(
        &self,
        raw: &RawRecord,
    ) -> Result<Result<Announcement, Unreadable>, RegistryUnavailable> {
        let Some(value) = &raw.value else {
            return Ok(unreadable("the record is a tombstone: it has no value"));
        };
        let Some((id, datum)) = unframe(value) else {
            return Ok(unreadable("the value does not begin with 0x00 and a schema id"));
        };
        let writer = match self.registry.schema(id).await {
            Ok(writer) => writer,
            Err(error @ RegistryError::Unavailable { .. }) => {
                return Err(RegistryUnavailable(error));
            }
            Err(error) => return Ok(unreadable(one_line(&error))),
        };
        Ok(match &*writer {
            Err(why) => unreadable(format!("the schema {id} is no Avro schema: {why}")),
            Ok(schema) => avro::decode(schema, datum).map_err(|error| Unreadable(one_line(&error))),
        })
    }
}

fn unreadable(why: impl Into<String>) -> Result<Announcement, Unreadable> {
    Err(Unreadable(why.into()))
}
