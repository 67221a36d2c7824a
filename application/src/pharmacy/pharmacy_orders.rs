use std::future::Future;

use domain::OrderId;
use domain::pharmacy::PharmacyOrder;

use crate::StoreError;
use crate::published::DeadLetter;

/// Port to load and save the pharmacy's orders.
pub trait PharmacyOrders: Send + Sync {
    /// The orders with these ids that the pharmacy has, in any sequence.
    fn find_all(
        &self,
        ids: &[OrderId],
    ) -> impl Future<Output = Result<Vec<OrderRevision>, StoreError>> + Send;

    /// Saves the orders, their recorded events and the dead letters, in one transaction.
    ///
    /// The store MUST still have each order at its revision; otherwise it saves nothing and returns
    /// [`SaveAllError::Conflict`]. Events of one order MUST be relayed in the sequence of their
    /// versions. A dead letter that is already stored is not stored again.
    fn save_all(
        &self,
        orders: &[OrderRevision],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<(), SaveAllError>> + Send;
}

/// An order and its revision, for optimistic locking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRevision {
    /// The order.
    pub order: PharmacyOrder,
    /// How many times the order was saved before; 0 for a new order.
    pub revision: i64,
}

/// Why orders were not saved. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveAllError {
    /// Another consumer saved one of the orders since it was read. Read again and retry.
    #[error("another consumer changed one of the orders since it was read")]
    Conflict,
    /// The store failed.
    #[error("the orders could not be stored")]
    Store(#[from] StoreError),
}
