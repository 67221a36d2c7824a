mod response;
mod settings;

use application::event_format::PublishedSchema;
use application::one_line;
use runtime::StartError;
use runtime::config::KafkaArgs;

pub(super) use self::settings::{Login, http_client, parse_url};

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_schema_by_id, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{
    RawError, RegisteredSchema, SchemaType, SuppliedSchema,
};

use self::response::{FailedBy, advice, id_lookup_failed_by, registration_failed_by};
use super::subjects::{SubjectError, Subjects};

/// Timeout of one request to the registry.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest id that a registry can assign. The wire format allows larger ones.
const MAX_SCHEMA_ID: u32 = i32::MAX.cast_unsigned();

/// Client of the schema registry for publishers and consumers.
///
/// Ids are cached without limit of time, because an id never changes its meaning. Errors are not
/// cached.
#[derive(Clone)]
pub struct Registry(Arc<RegistryInner>);

struct RegistryInner {
    settings: SrSettings,
    subjects: Subjects,
    ids: Mutex<HashMap<(String, [u8; 32]), u32>>,
}

/// Why a request to the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It is unavailable, or answers like something else than a registry. Try again later.
    #[error("the schema registry cannot be used: {reason}")]
    Unavailable {
        /// What is wrong.
        reason: String,
    },
    /// It does not accept this schema. An operator has to fix the registry.
    #[error(
        "the schema registry refuses to register {subject}: {reason}; `schemas check --registry` \
         shows what is wrong, `schemas register` registers all schemas"
    )]
    Refused {
        /// The subject of the schema.
        subject: String,
        /// The registry's reason.
        reason: String,
    },
    /// It has no schema with this id, at least not yet.
    #[error("the schema registry has no schema {id}: {reason}")]
    Unknown {
        /// The id.
        id: u32,
        /// The registry's message.
        reason: String,
    },
    /// No registry can have a schema with this id.
    #[error("the schema id {id} is invalid: ids are less than 2^31")]
    Impossible {
        /// The id.
        id: u32,
    },
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// A client with these settings. It sends no request yet.
    ///
    /// # Errors
    /// When a setting is wrong. The message names its variable and says what would be right.
    pub fn new(args: &KafkaArgs) -> Result<Self, StartError> {
        let settings = settings::settings(args)?;
        let subjects = Subjects::new(&args.schema_registry_url, &args.registry).map_err(
            |error| match error {
                SubjectError::Setting(error) => error,
                other => StartError::other("cannot use the schema registry", other),
            },
        )?;
        Ok(Self(Arc::new(RegistryInner { settings, subjects, ids: Mutex::default() })))
    }

    /// The id of a schema. Registers the schema if it is not registered. If the registry refuses to
    /// register it, for example because it is read-only, this looks it up.
    ///
    /// # Errors
    /// When the registry is unavailable, or neither accepts nor has the schema.
    pub async fn id_of(&self, schema: &PublishedSchema, topic: &str) -> Result<u32, RegistryError> {
        let key = (schema.subject(topic), schema.fingerprint);
        if let Some(&id) = lock(&self.0.ids).get(&key) {
            return Ok(id);
        }
        let name = Some(schema.fullname.to_owned());
        let supplied = SuppliedSchema::new(name, SchemaType::Avro, schema.json.to_owned());
        let id = match post_schema(&self.0.settings, key.0.clone(), supplied).await {
            Ok(registered) => registered.id,
            Err(error) => match (status(&error).map(registration_failed_by), reason(&error)) {
                (Some(FailedBy::Request), reason) => self.find(schema, &key.0, reason).await?,
                (_, reason) => return Err(RegistryError::Unavailable { reason }),
            },
        };
        lock(&self.0.ids).insert(key, id);
        Ok(id)
    }

    /// Looks up a schema that could not be registered for `reason`.
    async fn find(
        &self,
        schema: &PublishedSchema,
        subject: &str,
        reason: String,
    ) -> Result<u32, RegistryError> {
        match self.0.subjects.find(subject, schema.json).await {
            Ok(Some(found)) => Ok(found.id),
            // The reason of the refusal is more useful than the error of the lookup.
            Ok(None) | Err(_) => {
                Err(RegistryError::Refused { subject: subject.to_owned(), reason })
            }
        }
    }

    /// The schema with this id.
    ///
    /// # Errors
    /// When the registry is unavailable or does not know the id.
    pub(super) async fn fetch(&self, id: u32) -> Result<RegisteredSchema, RegistryError> {
        if id > MAX_SCHEMA_ID {
            return Err(RegistryError::Impossible { id });
        }
        get_schema_by_id(id, &self.0.settings).await.map_err(|error| {
            let failed_by = status(&error).map(|status| id_lookup_failed_by(status, code(&error)));
            let reason = reason(&error);
            match failed_by {
                Some(FailedBy::Request) => RegistryError::Unknown { id, reason },
                _ => RegistryError::Unavailable { reason },
            }
        })
    }

    /// Whether the registry has at least one of these schemas for this topic, and returns it by its
    /// id. If not, it may be empty or the wrong registry, so its unknown ids prove nothing.
    ///
    /// # Errors
    /// When the registry is unavailable.
    pub(super) async fn knows_one_of(
        &self,
        schemas: &[PublishedSchema],
        topic: &str,
    ) -> Result<bool, RegistryError> {
        let mut subjects: Vec<String> =
            schemas.iter().map(|schema| schema.subject(topic)).collect();
        subjects.dedup();
        for subject in subjects {
            let latest = self.0.subjects.latest(&subject).await;
            let latest =
                latest.map_err(|error| RegistryError::Unavailable { reason: one_line(&error) })?;
            let Some(latest) = latest else { continue };
            match self.fetch(latest.id).await {
                Ok(_) => return Ok(true),
                Err(RegistryError::Unavailable { reason }) => {
                    return Err(RegistryError::Unavailable { reason });
                }
                Err(_) => {}
            }
        }
        Ok(false)
    }
}

/// Ignores poisoning: each access leaves the map in a valid state.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error code in the response body. 0 if there is none.
fn code(error: &SRCError) -> u32 {
    let raw = error.source().and_then(|source| source.downcast_ref::<RawError>());
    raw.map_or(0, |raw| raw.error_code)
}

/// The HTTP status. The error of the client library has it only in its text.
fn status(error: &SRCError) -> Option<u16> {
    let (_, tail) = error.error.rsplit_once("failed with status ")?;
    tail.get(..3)?.parse().ok()
}

/// The error in one line. Its own `Display` repeats its sources and prints internals of the client.
fn reason(error: &SRCError) -> String {
    let mut line = error.error.clone();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    let advice = status(error).map_or("", |status| advice(status, code(error)));
    format!("{line}{advice}").replace('\n', " ")
}
