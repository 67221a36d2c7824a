use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgPool};

use crate::PgError;

/// How far the clock may have advanced since the last round and still be trusted. Rounds are hourly,
/// so housekeeping may be down for a day.
const TOLERANCE: TimeDelta = TimeDelta::days(1);

/// How far the clock may have gone back. Two concurrent rounds may store their readings in a different
/// order than they have read them.
const SLACK: TimeDelta = TimeDelta::minutes(5);

/// How many readings in a row must confirm a clock that has jumped. That is a day of hourly rounds.
const CONFIRMATIONS: i32 = 24;

/// The minimum time between two confirmations.
const APART: TimeDelta = TimeDelta::minutes(30);

/// A reading of the clock of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) now: DateTime<Utc>,
    pub(super) is_trusted: bool,
    /// The last time that was trusted. It is `now` if that is trusted.
    pub(super) believed_at: DateTime<Utc>,
    /// How many more readings must confirm a clock that is not trusted.
    pub(super) rounds_left: i32,
}

/// Reads the clock of Postgres and decides whether to trust it.
///
/// The table `housekeeping_clock` of the context has one row.
pub(super) async fn read(pool: &PgPool) -> Result<Reading, PgError> {
    let mut transaction = pool.begin().await?;
    let row: Row = sqlx::query_as(
        "SELECT clock_timestamp() AS now, believed_at, doubted_at, confirmations
         FROM housekeeping_clock FOR UPDATE",
    )
    .fetch_one(&mut *transaction)
    .await?;
    let mut state = row.state;
    let is_trusted = state.update(row.now);
    sqlx::query(
        "UPDATE housekeeping_clock SET believed_at = $1, doubted_at = $2, confirmations = $3",
    )
    .bind(state.believed_at)
    .bind(state.doubted_at)
    .bind(state.confirmations)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Reading {
        now: row.now,
        is_trusted,
        believed_at: state.believed_at,
        rounds_left: CONFIRMATIONS - state.confirmations,
    })
}

#[derive(Debug, FromRow)]
struct Row {
    now: DateTime<Utc>,
    #[sqlx(flatten)]
    state: ClockState,
}

/// The state of the clock that is stored between rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
struct ClockState {
    /// The last reading that was trusted.
    believed_at: DateTime<Utc>,
    /// The last reading that counted as a confirmation of a clock that jumped.
    doubted_at: Option<DateTime<Utc>>,
    confirmations: i32,
}

impl ClockState {
    /// Decides whether the clock can be trusted, given the earlier readings, and updates the state.
    ///
    /// A clock that jumped is trusted after it has advanced steadily for [`CONFIRMATIONS`] rounds. If it
    /// is corrected before that, it is trusted immediately, and nothing was deleted meanwhile.
    fn update(&mut self, now: DateTime<Utc>) -> bool {
        let steady = |since: DateTime<Utc>| (since - SLACK..=since + TOLERANCE).contains(&now);
        if steady(self.believed_at) {
            *self = Self::trusted_at(self.believed_at.max(now));
            return true;
        }
        match self.doubted_at {
            // Too soon after the last confirmation: this reading does not count.
            Some(last) if steady(last) && now < last + APART => {}
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
            *self = Self::trusted_at(now);
        }
        confirmed
    }

    const fn trusted_at(now: DateTime<Utc>) -> Self {
        Self { believed_at: now, doubted_at: None, confirmations: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This many minutes after a fixed time.
    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }

    const HOUR: i64 = 60;
    const DAY: i64 = 24 * HOUR;

    /// Which of these readings are trusted. They are in minutes after the start.
    fn trusted(readings: impl IntoIterator<Item = i64>) -> Vec<bool> {
        let mut state = ClockState::trusted_at(at(0));
        readings.into_iter().map(|minutes| state.update(at(minutes))).collect()
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
