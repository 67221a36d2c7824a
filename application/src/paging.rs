//! Looking through a list of orders a page at a time, newest first.
//!
//! Ids ascend with time, and a page begins where the one before ended, so nothing is shown twice or
//! left out while new orders come in.

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
pub struct Page<T> {
    /// The entries, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<OrderId>,
}

impl PageLimit {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// How many entries to ask a store for: one more, which tells whether there is a next page.
    #[must_use]
    pub const fn plus_one(self) -> usize {
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

impl<T> Page<T> {
    /// The page that begins what a store found when it was asked for
    /// [`plus_one`](PageLimit::plus_one); `id` tells which order an entry is about.
    #[must_use]
    pub fn from_rows(mut found: Vec<T>, limit: PageLimit, id: impl Fn(&T) -> OrderId) -> Self {
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let next = found.last().filter(|_| more).map(id);
        Self { items: found, next }
    }
}
