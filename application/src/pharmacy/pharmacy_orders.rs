use std::future::Future;

use domain::OrderId;
use domain::pharmacy::PharmacyOrder;

use crate::StoreError;
use crate::published::DeadLetter;

/// All orders of the pharmacy, for the side that changes them.
pub trait PharmacyOrders: Send + Sync {
    /// Those of these orders that the pharmacy has heard of, in any order.
    fn find_all(
        &self,
        ids: &[OrderId],
    ) -> impl Future<Output = Result<Vec<OrderRevision>, StoreError>> + Send;

    /// Keeps the orders and the dead letters: all or nothing.
    ///
    /// Each order MUST still be at its revision, or nothing is kept and it is a
    /// [`SaveAllError::Conflict`]. A dead letter kept before is not kept twice.
    fn save_all(
        &self,
        orders: &[OrderRevision],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<(), SaveAllError>> + Send;
}

/// An order and the number of times it was saved before: 0 when it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRevision {
    /// The order.
    pub order: PharmacyOrder,
    /// How often it was saved before.
    pub revision: i64,
}

/// Why orders were not saved. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveAllError {
    /// Another consumer saved one of the orders since it was read; read again.
    #[error("an order was changed by another consumer")]
    Conflict,
    /// The store failed.
    #[error("the orders could not be stored")]
    Store(#[from] StoreError),
}
