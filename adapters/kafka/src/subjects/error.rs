use runtime::StartError;

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

impl SubjectError {
    /// Whether the registry says that it has no such thing.
    pub(super) fn is(&self, codes: &[u32]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(code))
    }
}
