mod answer;
mod settings;

use application::event_format::{EventReader, EventSchemas, PublishedSchema};
use application::one_line;
use runtime::StartError;
use runtime::config::KafkaArgs;

pub(super) use self::settings::{Login, address, way_in};

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

use self::answer::{About, about_id, about_schema, advice};
use super::subjects::{SubjectError, Subjects};

/// How long one answer of the registry may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The greatest id that a registry can give; on the wire it could be greater.
const GREATEST_ID: u32 = i32::MAX.cast_unsigned();

/// The schema registry, as clients of Kafka see it.
///
/// Its answers are kept for good, since an id never changes its meaning. Its failures are not: the
/// next question asks again.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    events: EventSchemas,
    settings: SrSettings,
    subjects: Subjects,
    ids: Mutex<HashMap<(String, [u8; 32]), u32>>,
    readers: Mutex<HashMap<u32, Arc<EventReader>>>,
}

/// Why the registry gave no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be asked, or is not itself. Asking again later is right.
    #[error("the schema registry cannot be used: {reason}")]
    Unavailable {
        /// What is the matter with it.
        reason: String,
    },
    /// It does not take this schema. It will once somebody has looked after it.
    #[error(
        "the schema registry refuses to register {subject}: {reason}; `schemas check --registry` \
         tells what is wrong, `schemas register` brings it up to date"
    )]
    Refused {
        /// Under which subject the schema was to be registered.
        subject: String,
        /// Why.
        reason: String,
    },
    /// It has no schema of this id. That may be a matter of time.
    #[error("the schema registry has no schema {id}: {reason}")]
    Unknown {
        /// The id.
        id: u32,
        /// What it says.
        reason: String,
    },
    /// No registry can have a schema of this id.
    #[error("no schema registry can give the id {id}, which is beyond 2^31")]
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
    /// The registry these settings name. It is not asked yet.
    ///
    /// # Errors
    /// When a setting is wrong; the line names its variable and says what would be right.
    pub fn new(args: &KafkaArgs, events: EventSchemas) -> Result<Self, StartError> {
        let settings = settings::settings(args)?;
        let subjects = Subjects::new(&args.schema_registry_url, &args.registry).map_err(
            |error| match error {
                SubjectError::Setting(error) => error,
                other => StartError::other("cannot use the schema registry", other),
            },
        )?;
        let (ids, readers) = Default::default();
        Ok(Self(Arc::new(Inner { events, settings, subjects, ids, readers })))
    }

    /// The id of a schema, which is registered if it is not yet. A registry that does not let it be
    /// registered is asked whether it has been already.
    ///
    /// # Errors
    /// When the registry cannot be asked or refuses the schema.
    pub async fn id_of(&self, schema: &PublishedSchema, topic: &str) -> Result<u32, RegistryError> {
        let key = (schema.subject(topic), schema.fingerprint);
        if let Some(&id) = lock(&self.0.ids).get(&key) {
            return Ok(id);
        }
        let name = Some(schema.fullname.to_owned());
        let supplied = SuppliedSchema::new(name, SchemaType::Avro, schema.json.to_owned());
        let id = match post_schema(&self.0.settings, key.0.clone(), supplied).await {
            Ok(registered) => registered.id,
            Err(error) => match (status(&error).map(about_schema), reason(&error)) {
                (Some(About::Question), reason) => self.find(schema, &key.0, reason).await?,
                (_, reason) => return Err(RegistryError::Unavailable { reason }),
            },
        };
        lock(&self.0.ids).insert(key, id);
        Ok(id)
    }

    /// The id of a schema that cannot be registered, for the reason given, if it is there already.
    async fn find(
        &self,
        schema: &PublishedSchema,
        subject: &str,
        reason: String,
    ) -> Result<u32, RegistryError> {
        match self.0.subjects.find(subject, schema.json).await {
            Ok(Some(found)) => Ok(found.id),
            // Why it was not found either adds nothing.
            Ok(None) | Err(_) => {
                Err(RegistryError::Refused { subject: subject.to_owned(), reason })
            }
        }
    }

    /// What can be done with bytes that were written with the schema of this id.
    ///
    /// # Errors
    /// When the registry cannot be asked or does not know the id.
    pub(super) async fn reader(&self, id: u32) -> Result<Arc<EventReader>, RegistryError> {
        if let Some(reader) = lock(&self.0.readers).get(&id) {
            return Ok(Arc::clone(reader));
        }
        let RegisteredSchema { schema, schema_type, .. } = self.fetch(id).await?;
        let reader = Arc::new(match schema_type {
            SchemaType::Avro => (self.0.events.reader)(&schema),
            other => EventReader::UnknownType(format!("a schema of type {other:?}")),
        });
        lock(&self.0.readers).insert(id, Arc::clone(&reader));
        Ok(reader)
    }

    /// The schemas of the events.
    pub(super) fn events(&self) -> EventSchemas {
        self.0.events
    }

    async fn fetch(&self, id: u32) -> Result<RegisteredSchema, RegistryError> {
        if id > GREATEST_ID {
            return Err(RegistryError::Impossible { id });
        }
        get_schema_by_id(id, &self.0.settings).await.map_err(|error| {
            let about = status(&error).map(|status| about_id(status, code(&error)));
            let reason = reason(&error);
            match about {
                Some(About::Question) => RegistryError::Unknown { id, reason },
                _ => RegistryError::Unavailable { reason },
            }
        })
    }

    /// Whether this is the registry that the events of the topic were published with: it has their
    /// subjects, and the ids of these can be read. What it does not know may then be foreign; a
    /// registry that is empty, or another one, knows nothing.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub(super) async fn knows_events_of(&self, topic: &str) -> Result<bool, RegistryError> {
        let mut subjects: Vec<String> =
            (self.0.events.released)().iter().map(|schema| schema.subject(topic)).collect();
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

/// A map is whole between any two steps, so a panic elsewhere cannot have damaged it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The code in the body; 0 if there is none.
fn code(error: &SRCError) -> u32 {
    let raw = error.source().and_then(|source| source.downcast_ref::<RawError>());
    raw.map_or(0, |raw| raw.error_code)
}

/// The HTTP status, which the client's error tells only in words.
fn status(error: &SRCError) -> Option<u16> {
    let (_, tail) = error.error.rsplit_once("failed with status ")?;
    tail.get(..3)?.parse().ok()
}

/// The error in one line. Its own `Display` repeats its sources and tells of the client's inner life.
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
