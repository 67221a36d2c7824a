use std::collections::VecDeque;

use super::Fetched;

/// Records that were fetched, in their order, and how much they are.
#[derive(Default)]
pub(super) struct Queue {
    records: VecDeque<Fetched>,
    bytes: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The bytes of all records.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Fetched> {
        self.records.iter()
    }

    pub(super) fn pop_front(&mut self) -> Option<Fetched> {
        let fetched = self.records.pop_front()?;
        self.bytes -= fetched.record.size();
        Some(fetched)
    }

    /// Puts a record back.
    pub(super) fn push_front(&mut self, fetched: Fetched) {
        self.bytes += fetched.record.size();
        self.records.push_front(fetched);
    }
}

impl Extend<Fetched> for Queue {
    fn extend<I: IntoIterator<Item = Fetched>>(&mut self, fetched: I) {
        for fetched in fetched {
            self.bytes += fetched.record.size();
            self.records.push_back(fetched);
        }
    }
}
