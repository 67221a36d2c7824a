use std::time::Duration;

use reqwest::{Client, Method, Url};
use runtime::config::RegistryArgs;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::SubjectError;
use crate::registry::{Login, http_client, parse_url};

/// Timeout of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP client of a registry's REST API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    login: Option<Login>,
    url: Url,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    error_code: u32,
    message: String,
}

impl Api {
    pub(super) fn new(url: &str, args: &RegistryArgs) -> Result<Self, SubjectError> {
        let url = parse_url(url)?;
        let (client, login) = http_client(&url, args)?;
        let client = client.timeout(TIMEOUT).build().map_err(SubjectError::Client)?;
        Ok(Self { client, login, url })
    }

    pub(super) async fn request<T: DeserializeOwned>(
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
        let mut builder = self.client.request(method, url);
        if let Some(Login { username, password }) = &self.login {
            builder = builder.basic_auth(username, Some(password.reveal()));
        }
        if let Some(body) = body {
            builder = builder
                .header("content-type", "application/vnd.schemaregistry.v1+json")
                .body(body.to_string());
        }
        // The URL may contain a password, so it is removed from errors.
        let response = builder
            .send()
            .await
            .map_err(|error| SubjectError::Unreachable { host, source: error.without_url() })?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|error| SubjectError::InvalidResponse {
                request,
                source: error.without_url(),
            });
        }
        let ErrorBody { error_code, mut message } = response.json().await.unwrap_or_default();
        if message.is_empty() {
            "no reason given; is its address right?".clone_into(&mut message);
        }
        Err(SubjectError::Refused { request, status: status.as_u16(), code: error_code, message })
    }
}
