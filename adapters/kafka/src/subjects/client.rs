use reqwest::Method;
use runtime::config::RegistryArgs;
use serde::Deserialize;
use serde_json::json;

use super::SubjectError;
use super::api::Api;

// Confluent's error codes for missing objects. A 404 without a code can come from any other server.
const NO_SUBJECT: u32 = 40401;
const NO_VERSION: u32 = 40402;
const NO_SCHEMA: u32 = 40403;
const NO_LEVEL: u32 = 40408;

/// Subjects of a schema registry with the API of Confluent.
///
/// Registries answer differently for a subject without schemas or without a level of its own. Here
/// such a subject has no versions, and the global level.
#[derive(Debug, Clone)]
pub struct Subjects(Api);

/// Version and id of a registered schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Registered {
    /// The number of the version in its subject.
    pub version: u32,
    /// The id in the records.
    pub id: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    compatibility_level: String,
}

/// Response to setting a level.
#[derive(Deserialize)]
struct SetLevel {
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
    /// A client of the registry at this URL. It sends no request yet.
    ///
    /// # Errors
    /// When the URL or a setting is wrong, or no HTTP client can be created.
    pub fn new(url: &str, args: &RegistryArgs) -> Result<Self, SubjectError> {
        Api::new(url, args).map(Self)
    }

    /// The level of a subject: its own, or the global level.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn level(&self, subject: &str) -> Result<String, SubjectError> {
        let own =
            self.0.request(Method::GET, &["config", subject], "defaultToGlobal=true", None).await;
        let level: Level = match own {
            Err(error) if error.is(&[NO_SUBJECT, NO_LEVEL]) => {
                self.0.request(Method::GET, &["config"], "", None).await?
            }
            other => other?,
        };
        Ok(level.compatibility_level)
    }

    /// Sets a subject's level.
    ///
    /// # Errors
    /// When the registry refuses it or cannot be reached.
    pub async fn set_level(&self, subject: &str, level: &str) -> Result<(), SubjectError> {
        let body = json!({ "compatibility": level });
        self.0
            .request::<SetLevel>(Method::PUT, &["config", subject], "", Some(body))
            .await
            .map(drop)
    }

    /// Sets the global level, for all subjects without a level of their own.
    ///
    /// # Errors
    /// When the registry refuses it or cannot be reached.
    pub async fn set_global_level(&self, level: &str) -> Result<(), SubjectError> {
        let body = json!({ "compatibility": level });
        self.0.request::<SetLevel>(Method::PUT, &["config"], "", Some(body)).await.map(drop)
    }

    /// The numbers of a subject's versions.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn versions(&self, subject: &str) -> Result<Vec<u32>, SubjectError> {
        match self.0.request(Method::GET, &["subjects", subject, "versions"], "", None).await {
            Err(error) if error.is(&[NO_SUBJECT]) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The newest version of a subject, if it has any.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn latest(&self, subject: &str) -> Result<Option<Registered>, SubjectError> {
        let path = ["subjects", subject, "versions", "latest"];
        match self.0.request(Method::GET, &path, "", None).await {
            Err(error) if error.is(&[NO_SUBJECT, NO_VERSION]) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The version and id of a schema under a subject. `None` if it is not registered there.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn find(
        &self,
        subject: &str,
        schema: &str,
    ) -> Result<Option<Registered>, SubjectError> {
        let body = json!({ "schema": schema });
        match self.0.request(Method::POST, &["subjects", subject], "", Some(body)).await {
            Err(error) if error.is(&[NO_SUBJECT, NO_SCHEMA]) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Why a schema is incompatible with a subject's versions. `None` if it is compatible.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn incompatibility(
        &self,
        subject: &str,
        schema: &str,
    ) -> Result<Option<String>, SubjectError> {
        let path = ["compatibility", "subjects", subject, "versions"];
        let body = json!({ "schema": schema });
        match self.0.request::<Verdict>(Method::POST, &path, "verbose=true", Some(body)).await {
            Ok(verdict) if verdict.is_compatible => Ok(None),
            // Not every registry returns reasons.
            Ok(verdict) if verdict.messages.is_empty() => Ok(Some("it is incompatible".to_owned())),
            Ok(verdict) => Ok(Some(verdict.messages.join("; ").replace('\n', " "))),
            Err(error) if error.is(&[NO_SUBJECT]) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Registers a schema under a subject, if it is not registered yet. Returns its id.
    ///
    /// # Errors
    /// When the registry refuses it or cannot be reached.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, SubjectError> {
        let path = ["subjects", subject, "versions"];
        let Id { id } =
            self.0.request(Method::POST, &path, "", Some(json!({ "schema": schema }))).await?;
        Ok(id)
    }
}
