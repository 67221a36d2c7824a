use std::future::Future;

use domain::OrderId;
use domain::ordering::OrderSnapshot;

use crate::StoreError;

/// Port to read orders.
pub trait OrderViews: Send + Sync {
    /// The order with this id.
    fn view(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Option<OrderSnapshot>, StoreError>> + Send;

    /// At most `limit` orders with this status and an id less than `before`, newest first. `None`
    /// means no restriction.
    fn newest(
        &self,
        status: Option<StatusFilter>,
        before: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OrderSnapshot>, StoreError>> + Send;
}

/// The status of the orders to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// Orders that are not cancelled.
    Created,
    /// Orders that are cancelled.
    Cancelled,
}
