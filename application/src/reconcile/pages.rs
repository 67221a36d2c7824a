use std::collections::VecDeque;

use super::{LedgerEntry, OrderLedger, OrderRange};
use crate::StoreError;

/// How many entries are read at a time.
pub(super) const PAGE: usize = 5_000;

/// The entries of a range, one after the other, of which a page is held.
pub(super) struct Pages<'a, L> {
    ledger: &'a L,
    /// What has not been read yet.
    rest: Option<OrderRange>,
    page: VecDeque<LedgerEntry>,
}

impl<'a, L: OrderLedger> Pages<'a, L> {
    pub(super) const fn of(ledger: &'a L, range: OrderRange) -> Self {
        Self { ledger, rest: Some(range), page: VecDeque::new() }
    }

    /// The next entry, which stays the next one until it is taken.
    pub(super) async fn peek(&mut self) -> Result<Option<LedgerEntry>, StoreError> {
        if let (true, Some(rest)) = (self.page.is_empty(), self.rest) {
            let page = self.ledger.page(rest, PAGE).await?;
            self.rest = match page.last() {
                Some(last) if page.len() >= PAGE => Some(rest.after(last.order_id)),
                _ => None,
            };
            self.page = page.into();
        }
        Ok(self.page.front().copied())
    }

    /// Takes the next entry if it is of this order.
    pub(super) fn take(&mut self, order: domain::OrderId) -> Option<LedgerEntry> {
        self.page.pop_front_if(|entry| entry.order_id == order)
    }
}
