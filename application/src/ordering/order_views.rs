use std::future::Future;

use domain::OrderId;
use domain::ordering::{OrderSnapshot, StatusName};

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
        status: Option<StatusName>,
        before: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OrderSnapshot>, StoreError>> + Send;
}
