use domain::OrderId;

use super::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The wish to look through the pharmacy's orders, newest first.
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
    wish: ListPharmacyOrders,
) -> Result<Page<PharmacyOrderView>, StoreError> {
    let found = views.newest(wish.status, wish.cursor, wish.limit.and_one_more()).await?;
    Ok(Page::cut(found, wish.limit, |view| view.order.id))
}
