use std::collections::VecDeque;

use super::{LedgerEntry, OrderLedger, OrderRange};
use crate::StoreError;

/// How many entries are read at once.
pub(super) const PAGE_SIZE: usize = 5_000;

/// Iterates over the entries of a range. Only one page is in memory.
pub(super) struct Pages<'a, L> {
    ledger: &'a L,
    /// The part of the range that has not been read yet.
    rest: Option<OrderRange>,
    page: VecDeque<LedgerEntry>,
}

impl<'a, L: OrderLedger> Pages<'a, L> {
    pub(super) const fn of(ledger: &'a L, range: OrderRange) -> Self {
        Self { ledger, rest: Some(range), page: VecDeque::new() }
    }

    /// Returns the next entry without removing it.
    pub(super) async fn peek(&mut self) -> Result<Option<LedgerEntry>, StoreError> {
        if let (true, Some(rest)) = (self.page.is_empty(), self.rest) {
            let page = self.ledger.page(rest, PAGE_SIZE).await?;
            self.rest = match page.last() {
                Some(last) if page.len() >= PAGE_SIZE => Some(rest.after(last.order_id)),
                _ => None,
            };
            self.page = page.into();
        }
        Ok(self.page.front().copied())
    }

    /// Removes and returns the next entry if it is for this order.
    pub(super) fn take(&mut self, order: domain::OrderId) -> Option<LedgerEntry> {
        self.page.pop_front_if(|entry| entry.order_id == order)
    }
}
