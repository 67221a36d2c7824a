use axum::http::StatusCode;
use serde::{Serialize, Serializer};

/// What can go wrong with a request, each with a page of its own under `/problems/`.
///
/// Doctrine: syntax that cannot be read is 400, content that breaks a rule is 422, a bad path,
/// query or header is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// The body is not JSON.
    MalformedBody,
    /// A parameter in the path, the query or a header is wrong.
    InvalidParameter,
    /// The body is JSON, but breaks a rule.
    InvalidBody,
    /// The idempotency key belongs to a request that asked for something else.
    IdempotencyKeyReused,
    /// A page of another site made a browser send the request.
    CrossSite,
    /// Nothing is there.
    NotFound,
    /// The method is not offered there.
    MethodNotAllowed,
    /// The thing is being changed by others.
    Conflict,
    /// The thing is not at the version the client insists on.
    PreconditionFailed,
    /// The body is larger than any valid one.
    BodyTooLarge,
    /// The body is of another content type.
    UnsupportedMediaType,
    /// What is needed to answer cannot be reached for now.
    Unavailable,
    /// More is asked at once than can be answered.
    Overloaded,
    /// A fault of the server.
    Internal,
    /// Nothing more is known than the status.
    Other(StatusCode),
}

impl ProblemType {
    /// All that have a page.
    pub(super) const CATALOGUE: [Self; 14] = [
        Self::MalformedBody,
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::IdempotencyKeyReused,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::Unavailable,
        Self::Overloaded,
        Self::Internal,
    ];

    /// The type that tells of a status nobody explained further.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            other => Self::Other(other),
        }
    }

    /// The status it is answered with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MalformedBody | Self::InvalidParameter => StatusCode::BAD_REQUEST,
            Self::InvalidBody | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status) => status,
        }
    }

    /// The type's address, relative to the server; clients tell problems apart by it.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::MalformedBody => "/problems/malformed-body",
            Self::InvalidParameter => "/problems/invalid-parameter",
            Self::InvalidBody => "/problems/invalid-body",
            Self::IdempotencyKeyReused => "/problems/idempotency-key-reused",
            Self::CrossSite => "/problems/cross-site",
            Self::NotFound => "/problems/not-found",
            Self::MethodNotAllowed => "/problems/method-not-allowed",
            Self::Conflict => "/problems/conflict",
            Self::PreconditionFailed => "/problems/precondition-failed",
            Self::BodyTooLarge => "/problems/body-too-large",
            Self::UnsupportedMediaType => "/problems/unsupported-media-type",
            Self::Unavailable => "/problems/unavailable",
            Self::Overloaded => "/problems/overloaded",
            Self::Internal => "/problems/internal",
            Self::Other(_) => "about:blank",
        }
    }

    /// The type in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::MalformedBody => "The body is not JSON",
            Self::InvalidParameter => "A parameter is wrong",
            Self::InvalidBody => "The body breaks a rule",
            Self::IdempotencyKeyReused => "The idempotency key was used for another request",
            Self::CrossSite => "The request comes from another site",
            Self::NotFound => "Nothing is there",
            Self::MethodNotAllowed => "The method is not offered there",
            Self::Conflict => "Others are changing the same thing",
            Self::PreconditionFailed => "It is at another version",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The content type is not supported",
            Self::Unavailable => "The service cannot answer for now",
            Self::Overloaded => "The service is asked for too much at once",
            Self::Internal => "The server is at fault",
            Self::Other(status) => status.canonical_reason().unwrap_or("The request failed"),
        }
    }

    /// What a client is to do about it.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::MalformedBody => "Send JSON as RFC 8259 defines it, in UTF-8.",
            Self::InvalidParameter => "`errors` names each wrong parameter or header, and why.",
            Self::InvalidBody => {
                "`errors` points to each place that breaks a rule, and says which. Nothing was \
                 stored."
            }
            Self::IdempotencyKeyReused => {
                "Choose a new key for each new request; repeat a key only with the same request."
            }
            Self::CrossSite => {
                "Nothing was done: a browser said, by `Sec-Fetch-Site` or `Origin`, that a page of \
                 another site sent this. Send it from a page of this server, or from a server of \
                 your own. A gateway must pass `Host` on."
            }
            Self::NotFound => "Check the path and the id.",
            Self::MethodNotAllowed => "The `Allow` header lists the methods offered.",
            Self::Conflict => "Send the request again.",
            Self::PreconditionFailed => "Read the thing again, and decide on what it is now.",
            Self::BodyTooLarge => "A body may have at most 64 KiB.",
            Self::UnsupportedMediaType => "Send `Content-Type: application/json`.",
            Self::Unavailable => {
                "Send the same request again after the seconds in `Retry-After`; with an \
                 `Idempotency-Key` that is safe even if it had been stored."
            }
            Self::Overloaded => {
                "Nothing was done. Send the same request again after the seconds in `Retry-After`, \
                 and fewer at the same time."
            }
            Self::Internal => "Tell the operator the problem's `traceId`.",
            Self::Other(_) => "",
        }
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.uri())
    }
}
