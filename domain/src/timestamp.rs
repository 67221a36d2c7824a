use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// A moment in UTC, in whole microseconds.
///
/// Avro's `timestamp-micros` and Postgres' `timestamptz` keep no more, so a moment is the same
/// before and after it was stored or published. Sub-microsecond parts are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// A number or text that is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment such as 2026-01-31T12:00:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// The moment so many microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When the number lies outside the calendar, some 262,000 years away.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        DateTime::from_timestamp_micros(micros).map(Self).ok_or(TimestampError)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The moment as chrono knows it.
    #[must_use]
    pub const fn get(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.trunc_subsecs(6))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text)
            .map(|moment| moment.with_timezone(&Utc).into())
            .map_err(|_| TimestampError)
    }
}
