use std::future::Future;

use domain::{CustomerId, OrderId};

use crate::StoreError;

/// Port to what is stored about a customer.
pub trait CustomerOrders: Send + Sync {
    /// At most `limit` orders of this customer with an id greater than `after`, in ascending sequence.
    /// `None` begins with the first.
    fn page(
        &self,
        customer: &CustomerId,
        after: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// Replaces the texts of people in the stored answers about the redacted orders of this customer.
    /// Returns how many answers were changed.
    ///
    /// Answers that were stored before the call MUST be found. So no answer has such texts after the
    /// orders were redacted and this was called.
    fn redact_answers(
        &self,
        customer: &CustomerId,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
