use std::future::Future;

use domain::pharmacy::PharmacySnapshot;
use domain::{OrderId, Timestamp};

use crate::StoreError;

/// Port to read the pharmacy's orders.
pub trait PharmacyViews: Send + Sync {
    /// The order with this id.
    fn view(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Option<PharmacyOrderView>, StoreError>> + Send;

    /// At most `limit` orders with this status and an id less than `before`, newest first. `None`
    /// means no restriction.
    fn newest(
        &self,
        status: Option<PharmacyViewStatus>,
        before: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<PharmacyOrderView>, StoreError>> + Send;
}

/// The status of the orders to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PharmacyViewStatus {
    /// Orders that a pharmacist has to review.
    Draft,
    /// Orders that are cancelled.
    Cancelled,
}

/// An order as it is shown to a pharmacist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrderView {
    /// The order.
    pub order: PharmacySnapshot,
    /// When the pharmacy received the first event of the order.
    pub received_at: Timestamp,
}
