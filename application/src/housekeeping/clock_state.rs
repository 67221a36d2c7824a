use chrono::TimeDelta;
use domain::Timestamp;

/// How far the clock may have advanced since the last round and still be trusted. Rounds are hourly,
/// so housekeeping may be down for a day.
const TOLERANCE: TimeDelta = TimeDelta::days(1);

/// How far the clock may have gone back. Two concurrent rounds may store their readings in a different
/// order than they have read them.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// How many readings in a row must confirm a clock that has jumped. That is a day of hourly rounds.
const CONFIRMATIONS: u32 = 24;

/// The minimum time between two confirmations.
const APART: TimeDelta = TimeDelta::minutes(30);

/// What a store remembers of the readings of its clock.
///
/// Old rows are deleted only by a clock that can be trusted: after a jump forward, everything would look
/// old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockState {
    /// The last reading that was trusted.
    pub trusted_at: Timestamp,
    /// The last reading that counted as a confirmation of a clock that jumped.
    pub doubted_at: Option<Timestamp>,
    /// How many readings in a row have confirmed it.
    pub confirmations: u32,
}

impl ClockState {
    /// Records a reading. Returns whether the clock can be trusted.
    ///
    /// A clock that jumped is trusted after it has advanced steadily for a day of rounds. If it
    /// is corrected before that, it is trusted immediately, and nothing was deleted meanwhile.
    pub fn record(&mut self, now: Timestamp) -> bool {
        let steady =
            |since: Timestamp| (since.get() - SLACK..=since.get() + TOLERANCE).contains(&now.get());
        if steady(self.trusted_at) {
            *self = Self::trusted(self.trusted_at.max(now));
            return true;
        }
        match self.doubted_at {
            // Too soon after the last confirmation: this reading does not count.
            Some(last) if steady(last) && now.get() < last.get() + APART => {}
            Some(last) if steady(last) => {
                self.doubted_at = Some(now);
                self.confirmations += 1;
            }
            // The first jump, or another one.
            _ => {
                self.doubted_at = Some(now);
                self.confirmations = 1;
            }
        }
        let confirmed = self.confirmations >= CONFIRMATIONS;
        if confirmed {
            *self = Self::trusted(now);
        }
        confirmed
    }

    /// How many more readings must confirm a clock that is not trusted.
    #[must_use]
    pub const fn readings_left(&self) -> u32 {
        CONFIRMATIONS.saturating_sub(self.confirmations)
    }

    /// The state of a clock that is trusted now.
    #[must_use]
    pub const fn trusted(now: Timestamp) -> Self {
        Self { trusted_at: now, doubted_at: None, confirmations: 0 }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// This many minutes after a fixed time.
    fn at(minutes: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).expect("a time").into()
    }

    const HOUR: i64 = 60;
    const DAY: i64 = 24 * HOUR;

    /// Which of these readings are trusted. They are in minutes after the start.
    fn trusted(readings: impl IntoIterator<Item = i64>) -> Vec<bool> {
        let mut state = ClockState::trusted(at(0));
        readings.into_iter().map(|minutes| state.record(at(minutes))).collect()
    }

    #[test]
    fn a_clock_that_advances_steadily_is_trusted() {
        let hourly = (1..100).map(|round| round * HOUR);
        assert!(trusted(hourly).iter().all(|&is_trusted| is_trusted));
        for (readings, why) in [
            (vec![1, 1, 2, 0], "several programs at once"),
            (vec![DAY, 2 * DAY, 2 * DAY + 1], "one round a day"),
        ] {
            assert!(trusted(readings).iter().all(|&is_trusted| is_trusted), "{why}");
        }
    }

    #[test]
    fn a_clock_that_jumped_is_not_trusted_until_it_is_corrected() {
        for jump in [DAY + 1, 30 * DAY, 4000 * DAY, -2 * DAY, -30 * DAY] {
            let wrong = (1..24).map(|round| jump + round * HOUR);
            let right = (24..30).map(|round| round * HOUR % DAY);
            let found = trusted(wrong.chain(right));
            assert_eq!(found.iter().position(|&is_trusted| is_trusted), Some(23), "{jump}");
            assert!(found[23..].iter().all(|&is_trusted| is_trusted), "{jump}");
        }
    }

    #[test]
    fn a_clock_that_jumped_permanently_is_trusted_after_a_day_of_rounds() {
        for jump in [30 * DAY, -30 * DAY] {
            let found = trusted((0..30).map(|round| jump + round * HOUR));
            assert_eq!(found.iter().position(|&is_trusted| is_trusted), Some(23), "{jump}");
        }
    }

    #[test]
    fn many_rounds_in_a_short_time_do_not_confirm_a_jump() {
        let found = trusted((0..1000).map(|round| 30 * DAY + round / 100));
        assert!(found.iter().all(|&is_trusted| !is_trusted));
    }

    #[test]
    fn a_clock_that_jumps_again_must_be_confirmed_again() {
        for second in [60 * DAY, 10 * DAY] {
            let first = (0..23).map(|round| 30 * DAY + round * HOUR);
            let found = trusted(first.chain((0..23).map(|round| second + round * HOUR)));
            assert!(found.iter().all(|&is_trusted| !is_trusted), "{second}");
        }
    }
}
