use std::future::Future;

use domain::OrderId;
use domain::ordering::Order;

use super::Cause;
use crate::StoreError;

/// Port to load and save orders.
pub trait Orders: Send + Sync {
    /// The order with this id.
    fn find(&self, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// The order with which this cause was answered; `None` if it was not answered before.
    fn find_answer(
        &self,
        cause: &Cause,
    ) -> impl Future<Output = Result<Option<Order>, FindAnswerError>> + Send;

    /// Saves the order, its recorded events and the cause, in one transaction.
    ///
    /// The store MUST still have the order at its `stored_version`; otherwise it returns
    /// [`SaveError::VersionConflict`]. For a cause that was answered before, it MUST change nothing
    /// and return the original answer. Events of one order MUST be relayed in the sequence of their
    /// versions.
    fn save(
        &self,
        order: Order,
        cause: Cause,
    ) -> impl Future<Output = Result<Saved, SaveError>> + Send;
}

/// The result of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// The order and its events are stored.
    Stored(Order),
    /// The cause was answered before, with this order. Nothing was stored.
    AnsweredBefore(Order),
}

/// Why an order was not saved. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another writer saved the order since it was read.
    #[error("another writer changed the order since it was read")]
    VersionConflict,
    /// The key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The store failed. See [`StoreError`] for whether the save may have happened.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Why an answer could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum FindAnswerError {
    /// The key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The store failed.
    #[error("the answer could not be looked up")]
    Store(#[from] StoreError),
}
