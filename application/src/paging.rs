//! Looking through a list a page at a time: orders newest first, dead letters oldest first.
//!
//! Ids ascend with time, and a page begins where the one before ended, so nothing is shown twice or
//! left out while new entries come in.

use std::str::FromStr;

use domain::OrderId;

/// How many entries a page may have: 1 to 100, by default 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(usize);

/// A number of entries no page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 100")]
pub struct PageLimitError;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, Id = OrderId> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Id>,
}

impl PageLimit {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// How many entries to ask a store for: one more, which tells whether there is a next page.
    #[must_use]
    pub const fn and_one_more(self) -> usize {
        self.0 + 1
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

impl FromStr for PageLimit {
    type Err = PageLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<i64>().map_err(|_| PageLimitError)?.try_into()
    }
}

impl<T, Id> Page<T, Id> {
    /// The page that begins what a store found when it was asked for
    /// [`and_one_more`](PageLimit::and_one_more); `id` gives the id that the list is sorted by.
    #[must_use]
    pub fn cut(mut found: Vec<T>, limit: PageLimit, id: impl Fn(&T) -> Id) -> Self {
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let next = found.last().filter(|_| more).map(id);
        Self { items: found, next }
    }
}
