use std::error::Error;

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or took too long. What was asked may or may not have happened; trying
    /// again later is right.
    #[error("the store cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It does not take this content, or cannot make sense of what it holds about it. Trying again will
    /// not help, but what else was to be stored may well be taken without it.
    #[error("the store does not take this")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// It answered something it never should: a bug, damaged data, a right that was taken away. Trying
    /// again will not help before somebody has looked after it.
    #[error("the store gave an answer that makes no sense")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether trying again later can help.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
