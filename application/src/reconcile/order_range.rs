use std::time::Duration;

use domain::{OrderId, Timestamp};
use uuid::Uuid;

/// The number of low bits of a UUID version 7 after the timestamp. The bits above are milliseconds
/// since 1970.
const RANDOM_BITS: u32 = 80;

/// The first millisecond that does not fit into the timestamp of a UUID version 7.
const MILLIS_END: u128 = 1 << 48;

/// A range of order ids, which is also a range of time: order ids are UUIDs version 7, which begin
/// with a timestamp.
///
/// Every context finds the same orders in a range, because the range does not depend on a local
/// clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRange {
    from: u128,
    before: u128,
}

impl OrderRange {
    /// Orders placed at `since` or later, and before `until`.
    #[must_use]
    pub fn placed(since: Timestamp, until: Timestamp) -> Self {
        Self { from: first_at(millis(since)), before: first_at(millis(until)) }
    }

    /// Orders with an id of at least `from` and less than `before`.
    #[must_use]
    pub const fn of_ids(from: OrderId, before: OrderId) -> Self {
        Self { from: from.get().as_u128(), before: before.get().as_u128() }
    }

    /// When an order was placed, according to its id. `None` if that is after the year 9999.
    #[must_use]
    pub fn placed_at(order: OrderId) -> Option<Timestamp> {
        let millis = i64::try_from(order.get().as_u128() >> RANDOM_BITS).ok()?;
        Timestamp::from_micros(millis * 1000).ok()
    }

    /// The first id in the range.
    #[must_use]
    pub const fn from(self) -> OrderId {
        OrderId::new(Uuid::from_u128(self.from))
    }

    /// The first id after the range.
    #[must_use]
    pub const fn before(self) -> OrderId {
        OrderId::new(Uuid::from_u128(self.before))
    }

    /// Whether the range contains no id.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.from >= self.before
    }

    /// Whether the order is in the range.
    #[must_use]
    pub const fn contains(self, order: OrderId) -> bool {
        let id = order.get().as_u128();
        self.from <= id && id < self.before
    }

    /// The part of the range after this order.
    #[must_use]
    pub const fn after(self, order: OrderId) -> Self {
        Self { from: order.get().as_u128().saturating_add(1), ..self }
    }

    /// The part of the range after another range.
    pub(super) const fn after_range(self, other: Self) -> Self {
        Self { from: other.before, ..self }
    }

    /// The part of the range in the same period as this order. Periods start at 1970-01-01, so
    /// periods of 24 hours are days in UTC.
    pub(super) fn period_of(self, order: OrderId, period: Duration) -> Self {
        let period = period.as_millis().max(1);
        let start = (order.get().as_u128() >> RANDOM_BITS) / period * period;
        Self {
            from: self.from.max(first_at(start)),
            before: self.before.min(first_at(start + period)),
        }
    }

    /// Splits the range into parts, one for each period.
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

fn millis(at: Timestamp) -> u128 {
    u128::try_from(at.as_micros() / 1000).unwrap_or(0)
}

fn first_at(millis: u128) -> u128 {
    if millis >= MILLIS_END { u128::MAX } else { millis << RANDOM_BITS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn order(text: &str) -> OrderId {
        OrderRange::placed(at(text), at(text)).from()
    }

    #[test]
    fn a_range_contains_the_orders_placed_in_it() {
        let day = OrderRange::placed(at("2026-01-31T00:00:00Z"), at("2026-02-01T00:00:00Z"));
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
            OrderRange::placed(at("2026-02-01T00:00:00Z"), at("2026-01-31T00:00:00Z")).is_empty()
        );
    }

    #[test]
    fn a_range_is_limited_to_the_times_of_uuids() {
        let ever = OrderRange::placed(at("0000-01-01T00:00:00Z"), at("9999-12-31T23:59:59Z"));
        assert_eq!(ever.from().get(), Uuid::nil());
        assert!(ever.contains(order("9999-12-31T23:59:58Z")));
    }

    #[test]
    fn a_day_is_a_utc_day_limited_to_the_range() {
        let range = OrderRange::placed(at("2026-01-31T12:00:00Z"), at("2026-02-02T12:00:00Z"));
        let day = Duration::from_hours(24);
        for (id, from, before) in [
            ("2026-01-31T18:00:00Z", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
            ("2026-02-02T06:00:00Z", "2026-02-02T00:00:00Z", "2026-02-02T12:00:00Z"),
        ] {
            let expected = OrderRange::placed(at(from), at(before));
            assert_eq!(range.period_of(order(id), day), expected, "{id}");
        }
    }

    #[test]
    fn the_parts_of_a_range_cover_it_and_do_not_overlap() {
        let range = OrderRange::placed(at("2026-01-31T12:30:00Z"), at("2026-01-31T14:15:00.001Z"))
            .after(order("2026-01-31T12:30:00Z"));
        let parts: Vec<OrderRange> = range.parts(Duration::from_hours(1)).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0].from(), range.from());
        assert_eq!(parts[1].from(), order("2026-01-31T13:00:00Z"));
        assert_eq!(parts[2].before(), range.before());
        assert!(parts.windows(2).all(|two| two[0].before() == two[1].from()));
    }
}
