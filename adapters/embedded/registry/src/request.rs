use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api_error::ApiError;
use super::schema::Schema;
use super::subject;

/// Extractor for path parameters. Refuses an invalid subject on every route.
pub(super) struct InPath<T>(pub(super) T);

/// Extractor for a JSON body. The media type of the request is ignored.
pub(super) struct Body<T>(pub(super) T);

/// Request body with a schema.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaRequest {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<Value>>,
    id: Option<i32>,
    version: Option<i32>,
}

impl SchemaRequest {
    /// Parses the schema. Fails if it is not Avro or has references.
    pub(super) fn schema(&self) -> Result<Schema, ApiError> {
        let kind = self.schema_type.as_deref().unwrap_or("AVRO");
        if !kind.is_empty() && kind != "AVRO" {
            let reason = format!("this registry keeps AVRO schemas, not {kind}");
            return Err(ApiError::InvalidSchema(reason));
        }
        if self.references.as_ref().is_some_and(|references| !references.is_empty()) {
            let reason = "this registry keeps no references; write the schema out in full";
            return Err(ApiError::InvalidSchema(reason.to_owned()));
        }
        Schema::parse(self.schema.as_deref().unwrap_or_default())
    }

    /// Parses the schema for a registration. Fails if the request contains an id or a version.
    pub(super) fn new_schema(&self, subject: &str) -> Result<Schema, ApiError> {
        let given = [self.id, self.version].into_iter().flatten().any(|number| number > 0);
        if given {
            return Err(ApiError::NotInImportMode(subject.to_owned()));
        }
        self.schema()
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|rejection| malformed(rejection.status(), rejection.body_text()))?;
        let mut subjects = raw.iter().filter(|(name, _)| *name == "subject");
        if let Some((_, invalid)) = subjects.find(|(_, subject)| !subject::is_valid(subject)) {
            return Err(ApiError::InvalidSubject(invalid.to_owned()));
        }
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(malformed(rejection.status(), rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| malformed(rejection.status(), rejection.body_text()))?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| malformed(StatusCode::BAD_REQUEST, error.to_string()))
    }
}

pub(super) fn malformed(status: StatusCode, message: String) -> ApiError {
    ApiError::Malformed { status, message }
}
