use axum::http::StatusCode;
use serde::{Serialize, Serializer};

/// The types of problems. Each has a page under `/problems/`.
///
/// Status codes: a body that is not JSON is 400, an invalid JSON body is 422, an invalid path,
/// query or header is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// The request line or a header is not HTTP.
    MalformedHead,
    /// The request line and the headers are larger than the limit.
    HeadTooLarge,
    /// The URI is longer than the limit.
    UriTooLong,
    /// The body is not JSON.
    MalformedBody,
    /// A parameter in the path or the query, or a header, is wrong.
    InvalidParameter,
    /// The body is JSON, but invalid.
    InvalidBody,
    /// The idempotency key was used for a different request.
    IdempotencyKeyReused,
    /// A browser sent the request for a page of another site.
    CrossSite,
    /// There is no such resource.
    NotFound,
    /// The resource does not support the method.
    MethodNotAllowed,
    /// The client took too long to send the body.
    BodyTimeout,
    /// Other requests are changing the resource.
    Conflict,
    /// It is too late to cancel the order.
    NotCancellable,
    /// The action is not allowed in the status of the resource.
    IllegalTransition,
    /// The resource does not have the version in `If-Match`.
    PreconditionFailed,
    /// The request needs `If-Match`.
    PreconditionRequired,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The content type of the body is not supported.
    UnsupportedMediaType,
    /// The body is compressed.
    UnsupportedContentEncoding,
    /// A service that is needed to answer cannot be reached.
    Unavailable,
    /// There are too many concurrent requests.
    Overloaded,
    /// A server error.
    Internal,
    /// Any other problem. Only the status is known.
    Other(StatusCode),
}

impl ProblemType {
    /// All types that have a page.
    pub(super) const CATALOGUE: [Self; 22] = [
        Self::MalformedHead,
        Self::HeadTooLarge,
        Self::UriTooLong,
        Self::MalformedBody,
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::IdempotencyKeyReused,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BodyTimeout,
        Self::Conflict,
        Self::NotCancellable,
        Self::IllegalTransition,
        Self::PreconditionFailed,
        Self::PreconditionRequired,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedContentEncoding,
        Self::Unavailable,
        Self::Overloaded,
        Self::Internal,
    ];

    /// The type for an error status that a framework returned.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::URI_TOO_LONG => Self::UriTooLong,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadTooLarge,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            other => Self::Other(other),
        }
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MalformedHead | Self::MalformedBody | Self::InvalidParameter => {
                StatusCode::BAD_REQUEST
            }
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::InvalidBody | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict | Self::NotCancellable | Self::IllegalTransition => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::UnsupportedContentEncoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Unavailable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status) => status,
        }
    }

    /// The URI of the type, relative to the server. Clients distinguish problems by it.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::MalformedHead => "/problems/malformed-head",
            Self::HeadTooLarge => "/problems/head-too-large",
            Self::UriTooLong => "/problems/uri-too-long",
            Self::MalformedBody => "/problems/malformed-body",
            Self::InvalidParameter => "/problems/invalid-parameter",
            Self::InvalidBody => "/problems/invalid-body",
            Self::IdempotencyKeyReused => "/problems/idempotency-key-reused",
            Self::CrossSite => "/problems/cross-site",
            Self::NotFound => "/problems/not-found",
            Self::MethodNotAllowed => "/problems/method-not-allowed",
            Self::BodyTimeout => "/problems/body-timeout",
            Self::Conflict => "/problems/conflict",
            Self::NotCancellable => "/problems/not-cancellable",
            Self::IllegalTransition => "/problems/illegal-transition",
            Self::PreconditionFailed => "/problems/precondition-failed",
            Self::PreconditionRequired => "/problems/precondition-required",
            Self::BodyTooLarge => "/problems/body-too-large",
            Self::UnsupportedMediaType => "/problems/unsupported-media-type",
            Self::UnsupportedContentEncoding => "/problems/unsupported-content-encoding",
            Self::Unavailable => "/problems/unavailable",
            Self::Overloaded => "/problems/overloaded",
            Self::Internal => "/problems/internal",
            Self::Other(_) => "about:blank",
        }
    }

    /// A short description of the type.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::MalformedHead => "The request is not HTTP/1.1",
            Self::HeadTooLarge => "The head of the request is too large",
            Self::UriTooLong => "The URI is too long",
            Self::MalformedBody => "The body is not JSON",
            Self::InvalidParameter => "A parameter or header is invalid",
            Self::InvalidBody => "The body is invalid",
            Self::IdempotencyKeyReused => "The idempotency key was used for a different request",
            Self::CrossSite => "Cross-site requests are refused",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "The method is not allowed",
            Self::BodyTimeout => "The body did not arrive in time",
            Self::Conflict => "Other requests are changing the resource",
            Self::NotCancellable => "The order cannot be cancelled any more",
            Self::IllegalTransition => "The action is not allowed in this status",
            Self::PreconditionFailed => "The version does not match `If-Match`",
            Self::PreconditionRequired => "The request needs `If-Match`",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The content type is not supported",
            Self::UnsupportedContentEncoding => "The content encoding is not supported",
            Self::Unavailable => "The service is temporarily unavailable",
            Self::Overloaded => "Too many concurrent requests",
            Self::Internal => "Internal server error",
            Self::Other(status) => status.canonical_reason().unwrap_or("The request failed"),
        }
    }

    /// What a client should do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::MalformedHead => {
                "Send the request line and the headers as RFC 9112 defines them, over plain HTTP/1.1."
            }
            Self::HeadTooLarge => {
                "The request line and the headers may have at most 32 KiB together, and at most 100 \
                 headers."
            }
            Self::UriTooLong => "Send fewer or shorter parameters.",
            Self::MalformedBody => "Send JSON as RFC 8259 defines it, in UTF-8.",
            Self::InvalidParameter => {
                "`errors` lists each invalid parameter or header, with the reason."
            }
            Self::InvalidBody => {
                "`errors` lists each error, with a JSON pointer to its place in the body. Nothing \
                 was stored."
            }
            Self::IdempotencyKeyReused => {
                "Use a new key for each new request. Send the same key again only with the same request."
            }
            Self::CrossSite => {
                "Nothing was done. The header `Sec-Fetch-Site` or `Origin` shows that a browser \
                 sent the request for a page of another site. Send it from a page of this server, \
                 or from your own server. A gateway must forward the `Host` header."
            }
            Self::NotFound => "Check the path and the id.",
            Self::MethodNotAllowed => "The `Allow` header lists the allowed methods.",
            Self::BodyTimeout => {
                "Nothing was done, because the body was incomplete after 5 seconds. Send the request \
                 again on a new connection. If it happens again, compare `Content-Length` with the \
                 bytes that were sent."
            }
            Self::Conflict => "Retry the request.",
            Self::NotCancellable => {
                "Do not retry. Get the order: its `status` says whether the pharmacy has completed or \
                 rejected it. Ask the pharmacy about a return."
            }
            Self::IllegalTransition => {
                "Nothing was done. `detail` names the status and the actions that are allowed in it."
            }
            Self::PreconditionFailed => {
                "Get the resource again, check its state, and use its new `ETag`."
            }
            Self::PreconditionRequired => {
                "Get the resource, check its state, and send its `ETag` in `If-Match`."
            }
            Self::BodyTooLarge => "A body may have at most 64 KiB.",
            Self::UnsupportedMediaType => "Send `Content-Type: application/json`.",
            Self::UnsupportedContentEncoding => {
                "Send the body uncompressed, without `Content-Encoding`."
            }
            Self::Unavailable => {
                "Retry the same request after the number of seconds in `Retry-After`. With an \
                 `Idempotency-Key` this is safe, even if the first request was stored."
            }
            Self::Overloaded => {
                "Nothing was done. Retry the same request after the number of seconds in \
                 `Retry-After`, and send fewer requests at the same time."
            }
            Self::Internal => {
                "Report the `traceId` of the problem to the operator, who can find it in the log."
            }
            Self::Other(_) => "",
        }
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.uri())
    }
}
