use std::sync::atomic::{AtomicUsize, Ordering};

use application::StoreError;
use application::ordering::{Cause, CustomerOrders, FindAnswerError, Orders, SaveError, Saved};
use application::testing::InMemoryOrdering;
use domain::ordering::Order;
use domain::{CustomerId, OrderId};

/// A store that returns a version conflict for the first saves.
pub(crate) struct Contended {
    pub(crate) store: InMemoryOrdering,
    pub(crate) conflicts: AtomicUsize,
}

impl Orders for Contended {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.store.find(id).await
    }

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        self.store.find_answer(cause).await
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let left = self.conflicts.load(Ordering::SeqCst);
        if left > 0 {
            self.conflicts.store(left - 1, Ordering::SeqCst);
            return Err(SaveError::VersionConflict);
        }
        self.store.save(order, cause).await
    }
}

impl CustomerOrders for Contended {
    async fn page(
        &self,
        customer: &CustomerId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderId>, StoreError> {
        self.store.page(customer, after, limit).await
    }

    async fn redact_answers(&self, customer: &CustomerId) -> Result<u64, StoreError> {
        self.store.redact_answers(customer).await
    }
}
