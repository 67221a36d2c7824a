use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;

use application::StoreError;
use application::one_line;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::trace_context::TraceParent;
use serde::Serialize;
use utoipa::ToSchema;

use super::ProblemType;

/// `Retry-After` of answers with status 503, in seconds.
const RETRY_AFTER: &str = "2";

/// An error answer (RFC 9457). It contains only what a client may know. The cause of a server error
/// is logged once, when the problem is sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(description = "An error (RFC 9457)")]
pub struct Problem {
    /// The type of the problem. A page about it is at this address
    #[schema(value_type = String, format = "uri-reference", example = "/problems/invalid-body")]
    #[serde(rename = "type")]
    kind: ProblemType,
    /// A short description of the type
    #[schema(example = "The body is invalid")]
    title: &'static str,
    /// The HTTP status
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// What happened in this case
    #[schema(example = "the body has 1 error")]
    detail: String,
    /// All errors of the request
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// The id of the trace, which an operator can find in the log; only in server errors
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: Option<String>,
    #[serde(skip)]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// One error of a request. Exactly one of `pointer`, `parameter` and `header` says where it is
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The place in the body: a JSON pointer (RFC 6901) as a URI fragment
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "#/items/0/quantity")]
    pointer: Option<String>,
    /// The name of the parameter in the path or the query
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// The name of the header
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    header: Option<String>,
    /// What is wrong, or what would be right
    #[schema(example = "must be a whole number from 1 to 999")]
    detail: String,
}

impl FieldError {
    /// An error in the body, at a JSON pointer such as `#/items/0/quantity`.
    pub fn body(pointer: impl Into<String>, detail: &(impl Display + ?Sized)) -> Self {
        Self { pointer: Some(pointer.into()), detail: detail.to_string(), ..Self::default() }
    }

    /// An error in a parameter of the path or the query.
    pub fn parameter(name: impl Into<String>, detail: &(impl Display + ?Sized)) -> Self {
        Self { parameter: Some(name.into()), detail: detail.to_string(), ..Self::default() }
    }

    /// An error in a header.
    pub fn header(name: impl Into<String>, detail: &(impl Display + ?Sized)) -> Self {
        Self { header: Some(name.into()), detail: detail.to_string(), ..Self::default() }
    }
}

/// The cause of a server error. It is attached to the response for the log, and not sent to the
/// client.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub(super) Arc<str>);

impl Problem {
    /// A problem with this detail, which is a sentence.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            trace_id: None,
            source: None,
        }
    }

    /// The body is JSON, but has these errors.
    #[must_use]
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => "the body has 1 error".to_owned(),
            many => format!("the body has {many} errors"),
        };
        Self { errors, ..Self::new(ProblemType::InvalidBody, detail) }
    }

    /// These parameters or headers are wrong.
    #[must_use]
    pub fn invalid_parameters(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => "1 parameter or header is invalid".to_owned(),
            many => format!("{many} parameters or headers are invalid"),
        };
        Self { errors, ..Self::new(ProblemType::InvalidParameter, detail) }
    }

    /// A server error. The client sees no details.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let problem = Self::new(ProblemType::Internal, "an unexpected error occurred");
        Self { source: Some(source.into()), ..problem }
    }

    /// A needed service cannot be reached. The client should retry later.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let problem = Self::new(
            ProblemType::Unavailable,
            "a required service cannot be reached; retry later",
        );
        Self { source: Some(source.into()), ..problem }
    }

    /// The error and all its sources in one line, for the log.
    fn cause(&self) -> String {
        self.source.as_ref().map_or_else(|| self.detail.clone(), |source| one_line(&**source))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() { Self::unavailable(error) } else { Self::internal(error) }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = self.kind.status();
        if status.is_server_error() {
            self.trace_id = TraceParent::current().map(|trace| trace.trace_id());
        }
        let mut response = (status, Json(&self)).into_response();
        // An overload is logged once and counted where it is detected.
        if status.is_server_error() && self.kind != ProblemType::Overloaded {
            response.extensions_mut().insert(Cause(self.cause().into()));
        }
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, content_type);
        if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // The rest of the body was not read, so the connection cannot be used again.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.kind == ProblemType::UnsupportedContentEncoding {
            // It distinguishes this answer from one about the content type (RFC 9110, 15.5.16).
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
