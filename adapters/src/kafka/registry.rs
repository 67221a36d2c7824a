mod answer;
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
use schema_registry_converter::schema_registry_common::{
    RawError, RegisteredSchema, SchemaType, SuppliedSchema,
};

use self::answer::{About, about_id, about_schema, advice};
use super::subjects::{SubjectError, Subjects};
use crate::avro::{self, PublishedSchema};
use crate::config::KafkaArgs;
use crate::{StartError, one_line};

/// How long one answer of the registry may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The greatest id that a registry can give; on the wire it could be greater.
const GREATEST_ID: u32 = i32::MAX.cast_unsigned();

/// The schema registry, as clients of Kafka see it.
///
/// Its answers are kept for good, since an id never changes its meaning. Its failures are not: the
/// next question asks again.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: SrSettings,
    subjects: Subjects,
    ids: Mutex<HashMap<(String, [u8; 32]), u32>>,
    schemas: Mutex<HashMap<u32, Arc<Writer>>>,
}

/// What the registry keeps under an id.
#[derive(Debug)]
pub(super) struct Writer {
    /// The full name of the type; `None` if its text does not tell.
    pub(super) type_name: Option<String>,
    /// The schema, or why it cannot be used.
    pub(super) schema: Result<Schema, String>,
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

impl Registry {
    /// The registry these settings name. It is not asked yet.
    ///
    /// # Errors
    /// When a setting is wrong; the line names its variable and says what would be right.
    pub fn new(args: &KafkaArgs) -> Result<Self, StartError> {
        let settings = settings::settings(args)?;
        let subjects = Subjects::new(&args.schema_registry_url, &args.registry).map_err(
            |error| match error {
                SubjectError::Setting(error) => error,
                other => StartError::other("cannot use the schema registry", other),
            },
        )?;
        let (ids, schemas) = Default::default();
        Ok(Self(Arc::new(Inner { settings, subjects, ids, schemas })))
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

    /// The schema that was registered under an id.
    ///
    /// # Errors
    /// When the registry cannot be asked or does not know the id.
    pub(super) async fn schema(&self, id: u32) -> Result<Arc<Writer>, RegistryError> {
        if let Some(writer) = lock(&self.0.schemas).get(&id) {
            return Ok(Arc::clone(writer));
        }
        let RegisteredSchema { schema, schema_type, .. } = self.fetch(id).await?;
        let writer = Arc::new(match schema_type {
            SchemaType::Avro => Writer {
                type_name: avro::type_name(&schema),
                schema: avro::parse_writer(&schema).map_err(|error| one_line(&error)),
            },
            other => Writer {
                type_name: Some(format!("a schema of type {other:?}")),
                schema: Err(format!("its type is {other:?}")),
            },
        });
        lock(&self.0.schemas).insert(id, Arc::clone(&writer));
        Ok(writer)
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
            avro::published().iter().map(|schema| schema.subject(topic)).collect();
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
