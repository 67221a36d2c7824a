use domain::OrderId;
use domain::ordering::{OrderSnapshot, StatusName};

use super::OrderViews;
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The query for a page of orders, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListOrders {
    /// Only orders with this status; `None` for all.
    pub status: Option<StatusName>,
    /// The last order of the previous page; `None` for the first page.
    pub cursor: Option<OrderId>,
    /// Maximum number of orders on the page.
    pub limit: PageLimit,
}

/// Returns one page of orders.
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
