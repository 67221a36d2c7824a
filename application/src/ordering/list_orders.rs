use domain::OrderId;
use domain::ordering::OrderSnapshot;

use super::{OrderViews, StatusFilter};
use crate::StoreError;

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

/// How many entries a page may have: 1 to 100, by default 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(usize);

/// A number of entries no page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 100")]
pub struct PageLimitError;

impl PageLimit {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<i64> for PageLimit {
    type Error = PageLimitError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        match usize::try_from(number) {
            Ok(number @ 1..=100) => Ok(Self(number)),
            _ => Err(PageLimitError),
        }
    }
}

/// One page of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<OrderSnapshot>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<OrderId>,
}

/// Looks through the orders, a page at a time. Ids ascend with time, so no order is shown twice or
/// left out while new ones come in.
///
/// # Errors
/// When the store fails.
pub async fn list_orders(
    views: &impl OrderViews,
    wish: ListOrders,
) -> Result<OrderPage, StoreError> {
    let limit = wish.limit.get();
    // One more than asked tells whether there is a next page.
    let mut orders = views.newest(wish.status, wish.cursor, limit + 1).await?;
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next = if more { orders.last().map(|order| order.id) } else { None };
    Ok(OrderPage { orders, next })
}
