use std::time::Duration;

use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::StartError;
use crate::config::RegistryArgs;
use crate::kafka::registry::{Login, address, way_in};

/// How long one answer of the registry may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Confluent's codes for what is not there. A plain 404 may come from anything that listens there.
const NO_SUBJECT: u32 = 40401;
const NO_SCHEMA: u32 = 40403;
const NO_LEVEL: u32 = 40408;

/// The subjects of a schema registry that speaks Confluent's API.
///
/// Registries differ in what they answer for a subject that has no schema yet, or no level of its
/// own; here such a subject simply has none.
#[derive(Debug, Clone)]
pub struct Subjects {
    client: Client,
    login: Option<Login>,
    url: Url,
}

/// Where a schema is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Registered {
    /// The number of the version in its subject.
    pub version: u32,
    /// The id that records carry.
    pub id: u32,
}

/// Why the registry gave no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// Its address, or a setting that tells how to be let in, is wrong.
    #[error(transparent)]
    Setting(#[from] StartError),
    /// No HTTP client can be made.
    #[error("no client for the schema registry can be made")]
    Client(#[source] reqwest::Error),
    /// It cannot be reached, or breaks off.
    #[error("the schema registry on {host} cannot be reached")]
    Unreachable {
        /// Where it should be.
        host: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// It does not do what it is asked.
    #[error("the schema registry refuses {request} with {status}: {message}")]
    Refused {
        /// The method and the path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The code in the answer; 0 if there is none.
        code: u32,
        /// The message in the answer.
        message: String,
    },
    /// It answers something else than a registry does.
    #[error("{request} is not answered as a schema registry does; is its address right?")]
    Strange {
        /// The method and the path.
        request: String,
        /// What is wrong with the answer.
        #[source]
        source: reqwest::Error,
    },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error_code: u32,
    message: String,
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

impl SubjectError {
    /// Whether the registry says that it has no such thing.
    fn is(&self, codes: &[u32]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(code))
    }
}

impl Subjects {
    /// The registry at this address. It is not asked yet.
    ///
    /// # Errors
    /// When it is no address, a setting is wrong, or no HTTP client can be made.
    pub fn new(url: &str, args: &RegistryArgs) -> Result<Self, SubjectError> {
        let url = address(url)?;
        let (client, login) = way_in(args)?;
        let client = client.timeout(TIMEOUT).build().map_err(SubjectError::Client)?;
        Ok(Self { client, login, url })
    }

    /// The level that holds for a subject: its own, else that of the whole registry.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn level(&self, subject: &str) -> Result<String, SubjectError> {
        let own = self.ask(Method::GET, &["config", subject], "defaultToGlobal=true", None).await;
        let level: Level = match own {
            Err(error) if error.is(&[NO_SUBJECT, NO_LEVEL]) => {
                self.ask(Method::GET, &["config"], "", None).await?
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
        self.ask::<Set>(Method::PUT, &["config", subject], "", Some(body)).await.map(drop)
    }

    /// Sets the level of all subjects that have none of their own.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub async fn set_level_of_all(&self, level: &str) -> Result<(), SubjectError> {
        let body = json!({ "compatibility": level });
        self.ask::<Set>(Method::PUT, &["config"], "", Some(body)).await.map(drop)
    }

    /// The numbers of a subject's versions.
    ///
    /// # Errors
    /// When the registry gives no answer to use.
    pub async fn versions(&self, subject: &str) -> Result<Vec<u32>, SubjectError> {
        match self.ask(Method::GET, &["subjects", subject, "versions"], "", None).await {
            Err(error) if error.is(&[NO_SUBJECT]) => Ok(Vec::new()),
            other => other,
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
        match self.ask(Method::POST, &["subjects", subject], "", Some(body)).await {
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
        match self.ask::<Verdict>(Method::POST, &path, "verbose=true", Some(body)).await {
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
            self.ask(Method::POST, &path, "", Some(json!({ "schema": schema }))).await?;
        Ok(id)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &str,
        body: Option<Value>,
    ) -> Result<T, SubjectError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let request = format!("{method} {}", url.path());
        let host = url.host_str().unwrap_or_default().to_owned();
        let host =
            url.port_or_known_default().map_or(host.clone(), |port| format!("{host}:{port}"));
        let mut asked = self.client.request(method, url);
        if let Some(Login { username, password }) = &self.login {
            asked = asked.basic_auth(username, Some(password.reveal()));
        }
        if let Some(body) = body {
            asked = asked
                .header("content-type", "application/vnd.schemaregistry.v1+json")
                .body(body.to_string());
        }
        // The address may carry a password.
        let answer = asked
            .send()
            .await
            .map_err(|error| SubjectError::Unreachable { host, source: error.without_url() })?;
        let status = answer.status();
        if status.is_success() {
            return answer
                .json()
                .await
                .map_err(|error| SubjectError::Strange { request, source: error.without_url() });
        }
        let Refusal { error_code, mut message } = answer.json().await.unwrap_or_default();
        if message.is_empty() {
            "it gives no reason; is its address right?".clone_into(&mut message);
        }
        Err(SubjectError::Refused { request, status: status.as_u16(), code: error_code, message })
    }
}
