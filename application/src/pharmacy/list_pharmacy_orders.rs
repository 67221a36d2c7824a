use domain::OrderId;

use super::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The query for a page of the pharmacy's orders, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListPharmacyOrders {
    /// Only orders with this status; `None` for all.
    pub status: Option<PharmacyViewStatus>,
    /// The last order of the previous page; `None` for the first page.
    pub cursor: Option<OrderId>,
    /// Maximum number of orders on the page.
    pub limit: PageLimit,
}

/// Returns one page of the pharmacy's orders.
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
