//! Cursor-based paging through a list: orders newest first, dead letters oldest first.
//!
//! The cursor is the id of the last entry on the previous page, and ids ascend with time. So no
//! entry is repeated or skipped while new ones arrive.

use std::str::FromStr;

use domain::OrderId;

/// The maximum number of entries on a page: 1 to 100, by default 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(usize);

/// The error for a number that is not a valid page limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 100")]
pub struct PageLimitError;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, Id = OrderId> {
    /// The entries, in the sequence of the list.
    pub items: Vec<T>,
    /// The cursor for the next page; `None` on the last page.
    pub next: Option<Id>,
}

impl PageLimit {
    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// How many entries to request from a store: one more, to find out if there is a next page.
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
        let number = text.parse::<i64>().map_err(|_| PageLimitError)?;
        // Rust also parses `+5` and `05`, which are not numbers in JSON.
        if number.to_string() == text { number.try_into() } else { Err(PageLimitError) }
    }
}

impl<T, Id> Page<T, Id> {
    /// Makes a page from the entries that a store returned for a limit of
    /// [`plus_one`](PageLimit::plus_one). `id` returns the id that the list is sorted by.
    #[must_use]
    pub fn from_rows(mut entries: Vec<T>, limit: PageLimit, id: impl Fn(&T) -> Id) -> Self {
        let more = entries.len() > limit.get();
        entries.truncate(limit.get());
        let next = entries.last().filter(|_| more).map(id);
        Self { items: entries, next }
    }
}
