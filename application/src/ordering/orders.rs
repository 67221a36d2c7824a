use std::future::Future;

use domain::OrderId;
use domain::ordering::Order;

use super::Cause;
use crate::StoreError;

/// All orders, for the side that changes them.
pub trait Orders: Send + Sync {
    /// The order known under this id.
    fn find(&self, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// The original answer to this cause, if it was answered before.
    fn find_answer(
        &self,
        cause: &Cause,
    ) -> impl Future<Output = Result<Option<Order>, FindAnswerError>> + Send;

    /// Keeps the order, the events it has recorded and the cause it answers: all or nothing.
    ///
    /// The order MUST still be at its `stored_version`, or it is a [`SaveError::VersionConflict`].
    /// A cause that was answered before changes nothing and MUST give the original answer.
    /// Events of one order MUST be relayed in the order of their versions.
    fn save(
        &self,
        order: Order,
        cause: Cause,
    ) -> impl Future<Output = Result<Saved, SaveError>> + Send;
}

/// What became of a save. Both carry the order as it was, or had been, answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// The order and its events are stored.
    Stored(Order),
    /// The cause was answered before; this is that answer, and nothing was stored.
    AnsweredBefore(Order),
}

/// Why an order was not saved. Nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else saved the order since it was read.
    #[error("the order was changed by somebody else")]
    VersionConflict,
    /// The key belongs to a request that asked for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The store failed; see [`StoreError`] for what that leaves open.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Why an answer could not be recalled.
#[derive(Debug, thiserror::Error)]
pub enum FindAnswerError {
    /// The key belongs to a request that asked for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The store failed.
    #[error("the answer could not be looked up")]
    Store(#[from] StoreError),
}
