use crate::OrderVersion;

/// The versions of an order whose events have been received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceivedVersions {
    latest: Option<OrderVersion>,
    /// The ranges of versions before the latest that have not been received, in ascending sequence.
    gaps: Vec<(i64, i64)>,
}

impl ReceivedVersions {
    /// Restores the versions that a store has saved: the latest, and the ranges before it that have
    /// not been received.
    #[must_use]
    pub const fn restore(latest: Option<OrderVersion>, gaps: Vec<(i64, i64)>) -> Self {
        Self { latest, gaps }
    }

    /// Adds a version. Returns false if it was received before.
    pub fn add(&mut self, version: OrderVersion) -> bool {
        let number = version.get();
        let latest = self.latest.map_or(0, OrderVersion::get);
        if number > latest {
            if number > latest + 1 {
                self.gaps.push((latest + 1, number - 1));
            }
            self.latest = Some(version);
            return true;
        }
        let gap = self.gaps.iter().position(|&(first, last)| (first..=last).contains(&number));
        let Some(index) = gap else {
            return false;
        };
        let (first, last) = self.gaps[index];
        let rest = [(first, number - 1), (number + 1, last)];
        self.gaps.splice(index..=index, rest.into_iter().filter(|(first, last)| first <= last));
        true
    }

    /// The latest version; `None` before the first event.
    #[must_use]
    pub const fn latest(&self) -> Option<OrderVersion> {
        self.latest
    }

    /// The ranges of versions before the latest that have not been received.
    #[must_use]
    pub fn gaps(&self) -> &[(i64, i64)] {
        &self.gaps
    }

    /// How many versions before the latest have not been received.
    #[must_use]
    pub fn missing(&self) -> i64 {
        self.gaps.iter().map(|(first, last)| last - first + 1).sum()
    }
}
