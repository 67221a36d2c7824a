use std::time::Duration;

use domain::{OrderId, Timestamp};
use uuid::Uuid;

/// The random part of a UUID of version 7; what is above it is the time in milliseconds.
const RANDOM_BITS: u32 = 80;

/// The first millisecond that a UUID of version 7 cannot tell.
const END_OF_TIME: u128 = 1 << 48;

/// Orders that were placed in a span of time, by their ids: UUIDs of version 7 begin with the time.
///
/// So every context finds the same orders in a range, without a clock in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRange {
    from: u128,
    before: u128,
}

impl OrderRange {
    /// Orders placed from `since` on, and before `until`.
    #[must_use]
    pub fn placed(since: Timestamp, until: Timestamp) -> Self {
        Self { from: first_at(millis(since)), before: first_at(millis(until)) }
    }

    /// Orders from `from` on, and before `before`.
    #[must_use]
    pub const fn of_ids(from: OrderId, before: OrderId) -> Self {
        Self { from: from.get().as_u128(), before: before.get().as_u128() }
    }

    /// When an order was placed, by its id; `None` for an id that tells no moment before the year 10000.
    #[must_use]
    pub fn placed_at(order: OrderId) -> Option<Timestamp> {
        let millis = i64::try_from(order.get().as_u128() >> RANDOM_BITS).ok()?;
        Timestamp::from_micros(millis * 1000).ok()
    }

    /// The least id in it.
    #[must_use]
    pub const fn from(self) -> OrderId {
        OrderId::new(Uuid::from_u128(self.from))
    }

    /// The least id beyond it.
    #[must_use]
    pub const fn before(self) -> OrderId {
        OrderId::new(Uuid::from_u128(self.before))
    }

    /// Whether no order can be in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.from >= self.before
    }

    /// Whether an order is in it.
    #[must_use]
    pub const fn contains(self, order: OrderId) -> bool {
        let id = order.get().as_u128();
        self.from <= id && id < self.before
    }

    /// What of it lies behind this order.
    #[must_use]
    pub const fn after(self, order: OrderId) -> Self {
        Self { from: order.get().as_u128().saturating_add(1), ..self }
    }

    /// What of it lies behind another range.
    pub(super) const fn beyond(self, other: Self) -> Self {
        Self { from: other.before, ..self }
    }

    /// What of it was placed in the same period as this order. Periods are counted from 1970 on, so
    /// that those of 24 hours are days in UTC.
    pub(super) fn period_of(self, order: OrderId, period: Duration) -> Self {
        let period = period.as_millis().max(1);
        let start = (order.get().as_u128() >> RANDOM_BITS) / period * period;
        Self {
            from: self.from.max(first_at(start)),
            before: self.before.min(first_at(start + period)),
        }
    }

    /// The range in parts, one for each period.
    pub(super) fn parts(self, period: Duration) -> impl DoubleEndedIterator<Item = Self> {
        let length = period.as_millis().max(1);
        let first = (self.from >> RANDOM_BITS) / length;
        let end = (self.before.saturating_sub(1) >> RANDOM_BITS) / length;
        (first..=end).map(move |number| Self {
            from: self.from.max(first_at(number * length)),
            before: self.before.min(first_at((number + 1) * length)),
        })
    }
}

fn millis(moment: Timestamp) -> u128 {
    u128::try_from(moment.as_micros() / 1000).unwrap_or(0)
}

fn first_at(millis: u128) -> u128 {
    if millis >= END_OF_TIME { u128::MAX } else { millis << RANDOM_BITS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn order(text: &str) -> OrderId {
        OrderRange::placed(moment(text), moment(text)).from()
    }

    #[test]
    fn a_range_holds_what_was_placed_in_it() {
        let day =
            OrderRange::placed(moment("2026-01-31T00:00:00Z"), moment("2026-02-01T00:00:00Z"));
        for (id, inside) in [
            ("2026-01-30T23:59:59.999Z", false),
            ("2026-01-31T00:00:00Z", true),
            ("2026-01-31T23:59:59.999Z", true),
            ("2026-02-01T00:00:00Z", false),
        ] {
            assert_eq!(day.contains(order(id)), inside, "{id}");
        }
        assert!(!day.is_empty());
        assert!(
            OrderRange::placed(moment("2026-02-01T00:00:00Z"), moment("2026-01-31T00:00:00Z"))
                .is_empty()
        );
    }

    #[test]
    fn the_time_before_1970_and_after_10000_is_cut_off() {
        let ever =
            OrderRange::placed(moment("0000-01-01T00:00:00Z"), moment("9999-12-31T23:59:59Z"));
        assert_eq!(ever.from().get(), Uuid::nil());
        assert!(ever.contains(order("9999-12-31T23:59:58Z")));
    }

    #[test]
    fn a_day_is_one_of_utc_within_the_range() {
        let range =
            OrderRange::placed(moment("2026-01-31T12:00:00Z"), moment("2026-02-02T12:00:00Z"));
        let day = Duration::from_hours(24);
        for (id, from, before) in [
            ("2026-01-31T18:00:00Z", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
            ("2026-02-02T06:00:00Z", "2026-02-02T00:00:00Z", "2026-02-02T12:00:00Z"),
        ] {
            let expected = OrderRange::placed(moment(from), moment(before));
            assert_eq!(range.period_of(order(id), day), expected, "{id}");
        }
    }

    #[test]
    fn the_parts_of_a_range_are_all_of_it_and_do_not_overlap() {
        let range =
            OrderRange::placed(moment("2026-01-31T12:30:00Z"), moment("2026-01-31T14:15:00.001Z"))
                .after(order("2026-01-31T12:30:00Z"));
        let parts: Vec<OrderRange> = range.parts(Duration::from_hours(1)).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0].from(), range.from());
        assert_eq!(parts[1].from(), order("2026-01-31T13:00:00Z"));
        assert_eq!(parts[2].before(), range.before());
        assert!(parts.windows(2).all(|two| two[0].before() == two[1].from()));
    }
}
