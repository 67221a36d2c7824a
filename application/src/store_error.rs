use std::error::Error;

/// Why a store failed, and whether a retry can help.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is unreachable or timed out. The operation may or may not have happened. Retry
    /// later.
    #[error("the store cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The store refuses this content, or cannot interpret what it has stored for it. A retry does
    /// not help, but the rest of a batch may be accepted without this content.
    #[error("the store refuses this content")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The store gave an unexpected answer: a bug, corrupt data or a missing privilege. A retry
    /// does not help until an operator has fixed the cause.
    #[error("the store returned an unexpected result")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether a retry can help.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
