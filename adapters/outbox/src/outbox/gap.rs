//! Wide gaps, noted as ranges. No input or output here.

use std::collections::BTreeSet;

/// The widest gap that is noted position by position.
///
/// Most gaps are a few positions of transactions in flight. Noted one by one, relays of the version
/// before see them too.
const NARROW: i64 = 100;

/// Whether a gap of these positions is noted as a range.
pub(super) const fn is_wide(first: i64, last: i64) -> bool {
    last - first >= NARROW
}

/// A range of positions that the cursor has passed, as one snapshot shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) first: i64,
    pub(super) last: i64,
    /// Whether no row can come any more that is not there yet.
    pub(super) proved: bool,
    /// Whether this claim may put its own id down as the horizon.
    pub(super) stamp: bool,
}

/// What becomes of a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GapChange {
    /// The first position it has had so far, by which it is known.
    pub(super) first: i64,
    /// Whether its horizon is this claim.
    pub(super) stamp: bool,
    /// What is left of it: its pieces, first and last position of each.
    pub(super) pieces: Vec<(i64, i64)>,
}

/// What was seen of the rows in the gaps of a lane, and what was done about them.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Positions with a row that stays where it is.
    pub(super) waiting: BTreeSet<i64>,
    /// Positions that are settled, or noted elsewhere.
    pub(super) done: BTreeSet<i64>,
    /// Up to here all rows were seen.
    pub(super) seen_to: i64,
}

impl Gap {
    /// What becomes of the gap in a lane whose cursor stands at `through`; `None` if nothing does.
    ///
    /// A piece behind the cursor goes: it was moved back, and the rows are read from there again. Of a
    /// gap that is proved, all goes up to the first row that stays.
    pub(super) fn change(self, through: i64, arrivals: &Arrivals) -> Option<GapChange> {
        let last = self.last.min(through);
        let mut first = self.first;
        if self.proved {
            let seen = last.min(arrivals.seen_to);
            let waits = (first <= seen).then(|| arrivals.waiting.range(first..=seen).next());
            first = waits.flatten().copied().unwrap_or(first.max(seen + 1));
        }
        let mut pieces = Vec::new();
        if first <= last {
            for &done in arrivals.done.range(first..=last) {
                if first < done {
                    pieces.push((first, done - 1));
                }
                first = done + 1;
            }
        }
        if first <= last {
            pieces.push((first, last));
        }
        let stamp = self.stamp && !pieces.is_empty();
        let as_it_was = pieces == [(self.first, self.last)] && !stamp;
        (!as_it_was).then_some(GapChange { first: self.first, stamp, pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE_SEEN: Arrivals =
        Arrivals { waiting: BTreeSet::new(), done: BTreeSet::new(), seen_to: i64::MAX };

    fn gap(proved: bool) -> Gap {
        Gap { first: 10, last: 20, proved, stamp: false }
    }

    fn pieces(gap: Gap, through: i64, arrivals: &Arrivals) -> Vec<(i64, i64)> {
        gap.change(through, arrivals).map_or(vec![(gap.first, gap.last)], |change| change.pieces)
    }

    #[test]
    fn a_gap_stays_until_it_is_proved_and_then_goes() {
        assert_eq!(gap(false).change(100, &NONE_SEEN), None);
        assert_eq!(pieces(gap(true), 100, &NONE_SEEN), []);
    }

    #[test]
    fn a_gap_is_stamped_as_a_whole_and_with_all_its_pieces() {
        let fresh = Gap { stamp: true, ..gap(false) };
        let change = GapChange { first: 10, stamp: true, pieces: vec![(10, 20)] };
        assert_eq!(fresh.change(100, &NONE_SEEN), Some(change));
        let one_done = Arrivals { done: [12].into(), ..NONE_SEEN };
        let change = GapChange { first: 10, stamp: true, pieces: vec![(10, 11), (13, 20)] };
        assert_eq!(fresh.change(100, &one_done), Some(change));
    }

    #[test]
    fn what_is_settled_leaves_the_gap_and_what_waits_stays() {
        let arrivals =
            Arrivals { waiting: [15].into(), done: [10, 11, 13, 20].into(), ..NONE_SEEN };
        assert_eq!(pieces(gap(false), 100, &arrivals), [(12, 12), (14, 19)]);
        assert_eq!(pieces(gap(true), 100, &arrivals), [(15, 19)]);
    }

    #[test]
    fn nothing_unseen_leaves_a_gap_however_well_it_is_proved() {
        let arrivals = Arrivals { done: [11].into(), seen_to: 14, ..NONE_SEEN };
        assert_eq!(pieces(gap(true), 100, &arrivals), [(15, 20)]);
        let nothing = Arrivals { seen_to: 5, ..NONE_SEEN };
        assert_eq!(pieces(gap(true), 100, &nothing), [(10, 20)]);
    }

    #[test]
    fn a_piece_behind_the_cursor_goes_for_it_is_read_from_there_again() {
        assert_eq!(pieces(gap(false), 15, &NONE_SEEN), [(10, 15)]);
        assert_eq!(pieces(gap(false), 9, &NONE_SEEN), []);
        assert_eq!(pieces(gap(true), 9, &NONE_SEEN), []);
    }
}
