use reqwest::Method;
use runtime::config::RegistryArgs;
use serde::Deserialize;
use serde_json::json;

use super::SubjectError;
use super::api::Api;

/// Confluent's codes for what is not there. A plain 404 may come from anything that listens there.
const NO_SUBJECT: u32 = 40401;
const NO_VERSION: u32 = 40402;
const NO_SCHEMA: u32 = 40403;
const NO_LEVEL: u32 = 40408;

/// The subjects of a schema registry that speaks Confluent's API.
///
/// Registries differ in what they answer for a subject that has no schema yet, or no level of its
/// own; here such a subject simply has none.
#[derive(Debug, Clone)]
pub struct Subjects(Api);

/// Where a schema is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Registered {
    /// The number of the version in its subject.
    pub version: u32,
    /// The id that records carry.
    pub id: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    compatibility_level: String,
}

/// What the registry answers when a level was set.
#[derive(Deserialize)]
struct Set {
    #[serde(rename = "compatibility")]
    _level: String,
}

#[derive(Deserialize)]
struct Id {
    id: u32,
}

#[derive(Deserialize)]
struct Verdict {
    is_compatible: bool,
    #[serde(default)]
    messages: Vec<String>,
}

impl Subjects {
    /// The registry at this address. It is not asked yet.
    ///
    /// # Errors
    /// When it is no address, a setting is wrong, or no HTTP client can be made.
    pub fn new(url: &str, args: &RegistryArgs) -> Result<Self, SubjectError> {
        Api::new(url, args).map(Self)
    }

    /// The level that holds for a subject: its own, else that of the whole registry.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn level(&self, subject: &str) -> Result<String, SubjectError> {
        let own = self.0.ask(Method::GET, &["config", subject], "defaultToGlobal=true", None).await;
        let level: Level = match own {
            Err(error) if error.is(&[NO_SUBJECT, NO_LEVEL]) => {
                self.0.ask(Method::GET, &["config"], "", None).await?
            }
            other => other?,
        };
        Ok(level.compatibility_level)
    }

    /// Sets a subject's level.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn set_level(&self, subject: &str, level: &str) -> Result<(), SubjectError> {
        let body = json!({ "compatibility": level });
        self.0.ask::<Set>(Method::PUT, &["config", subject], "", Some(body)).await.map(drop)
    }

    /// Sets the level of all subjects that have none of their own.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn set_level_of_all(&self, level: &str) -> Result<(), SubjectError> {
        let body = json!({ "compatibility": level });
        self.0.ask::<Set>(Method::PUT, &["config"], "", Some(body)).await.map(drop)
    }

    /// The numbers of a subject's versions.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn versions(&self, subject: &str) -> Result<Vec<u32>, SubjectError> {
        match self.0.ask(Method::GET, &["subjects", subject, "versions"], "", None).await {
            Err(error) if error.is(&[NO_SUBJECT]) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The newest version of a subject, if it has any.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn latest(&self, subject: &str) -> Result<Option<Registered>, SubjectError> {
        let path = ["subjects", subject, "versions", "latest"];
        match self.0.ask(Method::GET, &path, "", None).await {
            Err(error) if error.is(&[NO_SUBJECT, NO_VERSION]) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Where a schema is registered under a subject, if it is.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn find(
        &self,
        subject: &str,
        schema: &str,
    ) -> Result<Option<Registered>, SubjectError> {
        let body = json!({ "schema": schema });
        match self.0.ask(Method::POST, &["subjects", subject], "", Some(body)).await {
            Err(error) if error.is(&[NO_SUBJECT, NO_SCHEMA]) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What the registry would have against a schema, if it were registered; `None` if nothing.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn objection(
        &self,
        subject: &str,
        schema: &str,
    ) -> Result<Option<String>, SubjectError> {
        let path = ["compatibility", "subjects", subject, "versions"];
        let body = json!({ "schema": schema });
        match self.0.ask::<Verdict>(Method::POST, &path, "verbose=true", Some(body)).await {
            Ok(verdict) if verdict.is_compatible => Ok(None),
            // Not every registry gives reasons.
            Ok(verdict) if verdict.messages.is_empty() => Ok(Some("it is incompatible".to_owned())),
            Ok(verdict) => Ok(Some(verdict.messages.join("; ").replace('\n', " "))),
            Err(error) if error.is(&[NO_SUBJECT]) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Registers a schema under a subject unless it is there; answers its id.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, SubjectError> {
        let path = ["subjects", subject, "versions"];
        let Id { id } =
            self.0.ask(Method::POST, &path, "", Some(json!({ "schema": schema }))).await?;
        Ok(id)
    }
}
