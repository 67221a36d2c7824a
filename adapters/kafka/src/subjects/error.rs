use runtime::StartError;

/// Why a request to the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The URL, the login or the CA setting is wrong.
    #[error(transparent)]
    Setting(#[from] StartError),
    /// The HTTP client cannot be created.
    #[error("cannot create an HTTP client for the schema registry")]
    Client(#[source] reqwest::Error),
    /// The registry cannot be reached, or the connection was closed.
    #[error("the schema registry on {host} cannot be reached")]
    Unreachable {
        /// Its host and port.
        host: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// The registry refuses the request.
    #[error("the schema registry refuses {request} with {status}: {message}")]
    Refused {
        /// The method and the path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The error code in the response. 0 if there is none.
        code: u32,
        /// The message in the response.
        message: String,
    },
    /// The response is not one of a schema registry.
    #[error("the response to {request} is not one of a schema registry; is its address right?")]
    InvalidResponse {
        /// The method and the path.
        request: String,
        /// What is wrong with the response.
        #[source]
        source: reqwest::Error,
    },
}

impl SubjectError {
    /// Whether the registry has refused the request with one of these codes.
    pub(super) fn is(&self, codes: &[u32]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(code))
    }
}
