use std::future::Future;

use domain::OrderId;
use domain::ordering::OrderSnapshot;

use crate::StoreError;

/// All orders, for those who look at them.
pub trait OrderViews: Send + Sync {
    /// The order known under this id.
    fn view(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Option<OrderSnapshot>, StoreError>> + Send;

    /// At most `limit` orders, newest id first, that stand as `status` asks and whose id lies
    /// before `before`.
    fn newest(
        &self,
        status: Option<StatusFilter>,
        before: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OrderSnapshot>, StoreError>> + Send;
}

/// Which orders to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    /// Those that stand.
    Created,
    /// Those that were called off.
    Cancelled,
}
