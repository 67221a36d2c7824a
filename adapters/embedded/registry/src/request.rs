use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api_error::ApiError;
use super::schema::Schema;

/// What stands in the path.
pub(super) struct InPath<T>(pub(super) T);

/// What stands in the query; what is not known there is ignored.
pub(super) struct InQuery<T>(pub(super) T);

/// What stands in the body: JSON, whatever its media type is called.
pub(super) struct Body<T>(pub(super) T);

/// A schema as clients send it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaRequest {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<Value>>,
    id: Option<i32>,
    version: Option<i32>,
}

/// Whether the deleted are meant as well.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Deleted {
    pub(super) deleted: bool,
}

impl SchemaRequest {
    /// The schema, if it is one this registry keeps.
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

    /// The schema, if no id or version is asked for with it.
    pub(super) fn new_schema(&self, subject: &str) -> Result<Schema, ApiError> {
        let given = [self.id, self.version].into_iter().flatten().any(|number| number > 0);
        if given {
            return Err(ApiError::NotImporting(subject.to_owned()));
        }
        self.schema()
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(malformed(rejection.status(), rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
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

fn malformed(status: StatusCode, message: String) -> ApiError {
    ApiError::Malformed { status, message }
}
