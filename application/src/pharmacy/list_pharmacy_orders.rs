use domain::OrderId;

use super::{PharmacyOrderView, PharmacyViews, Sequence, WorkState};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// The query for a page of the pharmacy's orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPharmacyOrders {
    /// Only orders in these states; `None` for all.
    pub states: Option<Vec<WorkState>>,
    /// The sequence of the list.
    pub sequence: Sequence,
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
    let ListPharmacyOrders { states, sequence, cursor, limit } = query;
    let states = states.as_deref().unwrap_or(&WorkState::ALL);
    let found = views.page(states, sequence, cursor, limit.plus_one()).await?;
    Ok(Page::from_rows(found, limit, |view| view.order.id))
}
