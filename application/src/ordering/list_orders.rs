use domain::OrderId;
use domain::ordering::OrderSnapshot;

use super::{OrderViews, StatusFilter};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The wish to look through the orders, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListOrders {
    /// Only those that stand so.
    pub status: Option<StatusFilter>,
    /// Where the page before ended.
    pub cursor: Option<OrderId>,
    /// How many at most.
    pub limit: PageLimit,
}

/// Looks through the orders, a page at a time.
///
/// # Errors
/// When the store fails.
pub async fn list_orders(
    views: &impl OrderViews,
    wish: ListOrders,
) -> Result<Page<OrderSnapshot>, StoreError> {
    let found = views.newest(wish.status, wish.cursor, wish.limit.and_one_more()).await?;
    Ok(Page::cut(found, wish.limit, |order| order.id))
}
