use std::future::Future;

use domain::pharmacy::PharmacySnapshot;
use domain::{OrderId, Timestamp};

use crate::StoreError;

/// All orders of the pharmacy, for those who look at them.
pub trait PharmacyViews: Send + Sync {
    /// The order known under this id.
    fn view(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Option<PharmacyOrderView>, StoreError>> + Send;

    /// At most `limit` orders, newest id first, that stand as `status` asks and whose id lies
    /// before `before`.
    fn newest(
        &self,
        status: Option<PharmacyViewStatus>,
        before: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<PharmacyOrderView>, StoreError>> + Send;
}

/// Which orders to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PharmacyViewStatus {
    /// Those to be looked at by a pharmacist.
    Draft,
    /// Those that were called off.
    Cancelled,
}

/// An order as a pharmacist sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrderView {
    /// The order.
    pub order: PharmacySnapshot,
    /// When the pharmacy first heard of it.
    pub received_at: Timestamp,
}
