use domain::OrderId;
use domain::ordering::OrderSnapshot;

use super::{OrderViews, StatusFilter};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The query to look through the orders, newest first.
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
    query: ListOrders,
) -> Result<Page<OrderSnapshot>, StoreError> {
    let found = views.newest(query.status, query.cursor, query.limit.plus_one()).await?;
    Ok(Page::from_rows(found, query.limit, |order| order.id))
}
