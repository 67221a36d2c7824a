use std::time::Duration;

use reqwest::{Client, Method, Url};
use runtime::config::RegistryArgs;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::SubjectError;
use crate::registry::{Login, address, way_in};

/// How long one answer of the registry may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A registry's API: one question, one answer.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    login: Option<Login>,
    url: Url,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    error_code: u32,
    message: String,
}

impl Api {
    pub(super) fn new(url: &str, args: &RegistryArgs) -> Result<Self, SubjectError> {
        let url = address(url)?;
        let (client, login) = way_in(args)?;
        let client = client.timeout(TIMEOUT).build().map_err(SubjectError::Client)?;
        Ok(Self { client, login, url })
    }

    pub(super) async fn ask<T: DeserializeOwned>(
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
