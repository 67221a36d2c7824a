use domain::OrderId;

use super::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The query to look through the pharmacy's orders, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListPharmacyOrders {
    /// Only those that stand so.
    pub status: Option<PharmacyViewStatus>,
    /// Where the page before ended.
    pub cursor: Option<OrderId>,
    /// How many at most.
    pub limit: PageLimit,
}

/// Looks through the pharmacy's orders, a page at a time.
///
/// # Errors
/// When the store fails.
pub async fn list_pharmacy_orders(
    views: &impl PharmacyViews,
    query: ListPharmacyOrders,
) -> Result<Page<PharmacyOrderView>, StoreError> {
    let found = views.newest(query.status, query.cursor, query.limit.plus_one()).await?;
    Ok(Page::from_rows(found, query.limit, |view| view.order.id))
}
