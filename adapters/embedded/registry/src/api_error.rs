use application::StoreError;
use application::one_line;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::parameters::{InvalidLevel, InvalidVersion, Version, level_names};
use super::response::JsonResponse;
use super::subject::MAX_BYTES;

/// Why a request is refused, with the error codes and messages of the Confluent API.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("Subject '{0}' not found.")]
    UnknownSubject(String),
    #[error("Version {0} not found.")]
    UnknownVersion(Version),
    #[error("Schema not found")]
    UnknownSchema,
    #[error("Schema {0} not found")]
    UnknownId(i64),
    #[error("Subject '{0}' was soft deleted. Set permanent=true to delete permanently")]
    SubjectSoftDeleted(String),
    #[error("Subject '{0}' was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted(String),
    #[error("Subject '{0}' Version {1} was soft deleted. Set permanent=true to delete permanently")]
    VersionSoftDeleted(String, i32),
    #[error("Subject '{0}' Version {1} was not deleted first before being permanently deleted")]
    VersionNotSoftDeleted(String, i32),
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoSubjectLevel(String),
    #[error("Invalid schema: {0}")]
    InvalidSchema(String),
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between \
         [1, 2^31-1] and the string \"latest\""
    )]
    InvalidVersion(String),
    #[error(
        "The specified subject '{0}' is not valid. A subject has at most {max} bytes and no control \
         characters, and is not __GLOBAL or __EMPTY", max = MAX_BYTES
    )]
    InvalidSubject(String),
    #[error("Invalid compatibility level. Valid values are {}", level_names())]
    InvalidLevel,
    #[error("Subject '{0}' is not in import mode: ids and versions are given by the registry")]
    NotInImportMode(String),
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", \
         details: {}", .reasons.join("; ")
    )]
    Incompatible { subject: String, reasons: Vec<String> },
    #[error("{message}")]
    Malformed { status: StatusCode, message: String },
    #[error("HTTP 404 Not Found")]
    UnknownRoute,
    #[error("HTTP 405 Method Not Allowed")]
    MethodNotAllowed,
    #[error("Error in the backend data store")]
    Store(#[from] StoreError),
}

impl ApiError {
    /// The error code of Confluent. Its first three digits are the HTTP status.
    fn code(&self) -> u16 {
        match self {
            Self::UnknownSubject(_) => 40401,
            Self::UnknownVersion(_) => 40402,
            Self::UnknownSchema | Self::UnknownId(_) => 40403,
            Self::SubjectSoftDeleted(_) => 40404,
            Self::SubjectNotSoftDeleted(_) => 40405,
            Self::VersionSoftDeleted(..) => 40406,
            Self::VersionNotSoftDeleted(..) => 40407,
            Self::NoSubjectLevel(_) => 40408,
            Self::InvalidSchema(_) => 42201,
            Self::InvalidVersion(_) => 42202,
            Self::InvalidLevel => 42203,
            Self::NotInImportMode(_) => 42205,
            Self::InvalidSubject(_) => 42208,
            Self::Incompatible { .. } => 409,
            Self::Malformed { status, .. } => status.as_u16(),
            Self::UnknownRoute => 404,
            Self::MethodNotAllowed => 405,
            Self::Store(_) => 50001,
        }
    }

    fn status(&self) -> StatusCode {
        if let Self::Store(error) = self
            && error.is_unavailable()
        {
            // Clients retry after a 503, but not after a 500.
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let code = self.code();
        let status = if code < 1000 { code } else { code / 100 };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<InvalidVersion> for ApiError {
    fn from(InvalidVersion(text): InvalidVersion) -> Self {
        Self::InvalidVersion(text)
    }
}

impl From<InvalidLevel> for ApiError {
    fn from(InvalidLevel: InvalidLevel) -> Self {
        Self::InvalidLevel
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::warn!("the schema registry failed to answer a request: {}", one_line(error));
        }
        let body = json!({ "error_code": self.code(), "message": self.to_string() });
        (self.status(), JsonResponse(body)).into_response()
    }
}
