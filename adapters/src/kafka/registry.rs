mod settings;

pub(super) use self::settings::{Login, address, way_in};

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apache_avro::Schema;
use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_schema_by_id, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RawError, SchemaType, SuppliedSchema};

use crate::avro::{self, PublishedSchema};
use crate::config::KafkaArgs;
use crate::{StartError, one_line};

/// How long one answer of the registry may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The registry's code for a schema id that it does not know.
const SCHEMA_NOT_FOUND: u32 = 40403;

/// The schema registry, as clients of Kafka see it.
///
/// Its answers are kept for good, since an id never changes its meaning. Its failures are not: the
/// next question asks again.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: SrSettings,
    ids: Mutex<HashMap<(String, [u8; 32]), u32>>,
    schemas: Mutex<HashMap<u32, Arc<Writer>>>,
}

/// What the registry knows under an id: an Avro schema, or why it is none.
pub(super) type Writer = Result<Schema, String>;

/// Why the registry gave no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be reached, or is not itself. Asking again later is right.
    #[error("the schema registry cannot be reached: {reason}")]
    Unavailable {
        /// What is the matter with it.
        reason: String,
    },
    /// It does not take this schema.
    #[error("the schema registry refuses the schema: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// It knows no schema of this id.
    #[error("the schema registry knows no schema {id}")]
    Unknown {
        /// The id.
        id: u32,
    },
}

impl Registry {
    /// The registry these settings name. It is not asked yet.
    ///
    /// # Errors
    /// When a setting is wrong; the line names its variable and says what would be right.
    pub fn new(args: &KafkaArgs) -> Result<Self, StartError> {
        let settings = settings::settings(args)?;
        Ok(Self(Arc::new(Inner { settings, ids: Mutex::default(), schemas: Mutex::default() })))
    }

    /// The id of a schema, which is registered if it is not yet.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses the schema.
    pub async fn id_of(&self, schema: &PublishedSchema, topic: &str) -> Result<u32, RegistryError> {
        let key = (schema.subject(topic), schema.fingerprint);
        if let Some(&id) = lock(&self.0.ids).get(&key) {
            return Ok(id);
        }
        let name = Some(schema.fullname.to_owned());
        let supplied = SuppliedSchema::new(name, SchemaType::Avro, schema.json.to_owned());
        let id = match post_schema(&self.0.settings, key.0.clone(), supplied).await {
            Ok(registered) => registered.id,
            Err(error) if matches!(status(&error), Some(409 | 422)) => {
                return Err(RegistryError::Refused { reason: reason(&error) });
            }
            Err(error) => return Err(RegistryError::Unavailable { reason: reason(&error) }),
        };
        lock(&self.0.ids).insert(key, id);
        Ok(id)
    }

    /// The schema that was registered under an id.
    ///
    /// # Errors
    /// When the registry cannot be reached or does not know the id.
    pub(super) async fn schema(&self, id: u32) -> Result<Arc<Writer>, RegistryError> {
        if let Some(writer) = lock(&self.0.schemas).get(&id) {
            return Ok(Arc::clone(writer));
        }
        let registered = match get_schema_by_id(id, &self.0.settings).await {
            Ok(registered) => registered,
            // A plain 404 may come from anything that listens there; this code only from a registry.
            Err(error) if raw(&error).is_some_and(|raw| raw.error_code == SCHEMA_NOT_FOUND) => {
                return Err(RegistryError::Unknown { id });
            }
            Err(error) => return Err(RegistryError::Unavailable { reason: reason(&error) }),
        };
        let writer = Arc::new(match registered.schema_type {
            SchemaType::Avro => {
                avro::parse_writer(&registered.schema).map_err(|error| one_line(&error))
            }
            other => Err(format!("its type is {other:?}")),
        });
        lock(&self.0.schemas).insert(id, Arc::clone(&writer));
        Ok(writer)
    }
}

/// A map is whole between any two steps, so a panic elsewhere cannot have damaged it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn raw(error: &SRCError) -> Option<&RawError> {
    error.source()?.downcast_ref()
}

/// The HTTP status, which the client's error tells only in words.
fn status(error: &SRCError) -> Option<u16> {
    let (_, tail) = error.error.rsplit_once("failed with status ")?;
    tail.get(..3)?.parse().ok()
}

/// The error in one line. Its own `Display` repeats its sources and tells of the client's inner life.
fn reason(error: &SRCError) -> String {
    if let Some(status @ (401 | 403)) = status(error) {
        return format!(
            "it does not let us in (status {status}); see SCHEMA_REGISTRY_USERNAME and its password"
        );
    }
    let mut line = error.error.clone();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line
}
