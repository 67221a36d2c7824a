//! Wide gaps, which are recorded as ranges. This module does no input or output.

use std::collections::BTreeSet;

/// Maximum width of a gap that is recorded position by position, minus one.
///
/// Most gaps are a few positions of running transactions. Recorded one by one, relays of older
/// versions see them too.
const MAX_NARROW: i64 = 100;

/// Whether a gap from `first` to `last` is recorded as a range.
pub(super) const fn is_wide(first: i64, last: i64) -> bool {
    last - first >= MAX_NARROW
}

/// A wide gap: a range of positions at or below the cursor, as one snapshot shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) first: i64,
    pub(super) last: i64,
    /// Whether no transaction is left that could insert another row in the range.
    pub(super) proved: bool,
    /// Whether this claim may store its own id as the horizon.
    pub(super) set_horizon: bool,
}

/// A change to a gap: the ranges that replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GapChange {
    /// The first position of the gap before the change. It identifies the gap in its lane.
    pub(super) first: i64,
    /// Whether the id of this claim becomes the horizon.
    pub(super) set_horizon: bool,
    /// The ranges that remain of the gap: first and last position of each.
    pub(super) remaining: Vec<(i64, i64)>,
}

/// The rows that a claim has read in the gaps of a lane, and what it did with them.
#[derive(Debug, Default)]
pub(super) struct GapRows {
    /// Positions with a row that stays in its gap.
    pub(super) staying: BTreeSet<i64>,
    /// Positions that leave their gap: they are settled, or recorded as stragglers.
    pub(super) leaving: BTreeSet<i64>,
    /// All rows in the gaps up to this position were read.
    pub(super) read_to: i64,
}

impl Gap {
    /// The change to this gap in a lane with the cursor at `through`. `None` if it stays unchanged.
    ///
    /// The part above the cursor is dropped: a replay has moved the cursor back, and the rows are
    /// read from there again. If the gap is proved, its positions are dropped up to the first row
    /// that stays.
    pub(super) fn change(self, through: i64, rows: &GapRows) -> Option<GapChange> {
        let last = self.last.min(through);
        let mut first = self.first;
        if self.proved {
            let read_to = last.min(rows.read_to);
            let stays = (first <= read_to).then(|| rows.staying.range(first..=read_to).next());
            first = stays.flatten().copied().unwrap_or(first.max(read_to + 1));
        }
        let mut remaining = Vec::new();
        if first <= last {
            for &leaving in rows.leaving.range(first..=last) {
                if first < leaving {
                    remaining.push((first, leaving - 1));
                }
                first = leaving + 1;
            }
        }
        if first <= last {
            remaining.push((first, last));
        }
        let set_horizon = self.set_horizon && !remaining.is_empty();
        let unchanged = remaining == [(self.first, self.last)] && !set_horizon;
        (!unchanged).then_some(GapChange { first: self.first, set_horizon, remaining })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ROWS: GapRows =
        GapRows { staying: BTreeSet::new(), leaving: BTreeSet::new(), read_to: i64::MAX };

    fn gap(proved: bool) -> Gap {
        Gap { first: 10, last: 20, proved, set_horizon: false }
    }

    fn remaining(gap: Gap, through: i64, rows: &GapRows) -> Vec<(i64, i64)> {
        gap.change(through, rows).map_or(vec![(gap.first, gap.last)], |change| change.remaining)
    }

    #[test]
    fn a_gap_stays_until_it_is_proved_and_is_then_dropped() {
        assert_eq!(gap(false).change(100, &NO_ROWS), None);
        assert_eq!(remaining(gap(true), 100, &NO_ROWS), []);
    }

    #[test]
    fn the_horizon_is_set_for_the_whole_gap_or_for_all_its_remaining_ranges() {
        let gap_without_horizon = Gap { set_horizon: true, ..gap(false) };
        let change = GapChange { first: 10, set_horizon: true, remaining: vec![(10, 20)] };
        assert_eq!(gap_without_horizon.change(100, &NO_ROWS), Some(change));
        let one_leaves = GapRows { leaving: [12].into(), ..NO_ROWS };
        let change =
            GapChange { first: 10, set_horizon: true, remaining: vec![(10, 11), (13, 20)] };
        assert_eq!(gap_without_horizon.change(100, &one_leaves), Some(change));
    }

    #[test]
    fn settled_positions_leave_the_gap_and_rows_that_were_not_sent_stay() {
        let rows = GapRows { staying: [15].into(), leaving: [10, 11, 13, 20].into(), ..NO_ROWS };
        assert_eq!(remaining(gap(false), 100, &rows), [(12, 12), (14, 19)]);
        assert_eq!(remaining(gap(true), 100, &rows), [(15, 19)]);
    }

    #[test]
    fn positions_that_were_not_read_stay_in_a_proved_gap() {
        let rows = GapRows { leaving: [11].into(), read_to: 14, ..NO_ROWS };
        assert_eq!(remaining(gap(true), 100, &rows), [(15, 20)]);
        let nothing_read = GapRows { read_to: 5, ..NO_ROWS };
        assert_eq!(remaining(gap(true), 100, &nothing_read), [(10, 20)]);
    }

    #[test]
    fn the_part_of_a_gap_above_the_cursor_is_dropped() {
        assert_eq!(remaining(gap(false), 15, &NO_ROWS), [(10, 15)]);
        assert_eq!(remaining(gap(false), 9, &NO_ROWS), []);
        assert_eq!(remaining(gap(true), 9, &NO_ROWS), []);
    }
}
