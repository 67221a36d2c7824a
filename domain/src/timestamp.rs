use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in time in UTC, in whole microseconds, in the years 0 to 9999.
///
/// It stays the same when it is stored, published or printed: Avro's `timestamp-micros` and
/// Postgres' `timestamptz` have microsecond precision, and RFC 3339 has no other years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The error for a number or text that is not a [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time such as 2026-01-31T12:00:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// 0000-01-01T00:00:00Z.
    const EARLIEST: i64 = -62_167_219_200_000_000;
    /// 9999-12-31T23:59:59.999999Z.
    const LATEST: i64 = 253_402_300_799_999_999;

    /// The timestamp `micros` microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When it is outside the years 0 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        if !(Self::EARLIEST..=Self::LATEST).contains(&micros) {
            return Err(TimestampError);
        }
        DateTime::from_timestamp_micros(micros).map(Self).ok_or(TimestampError)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The timestamp as a chrono type.
    #[must_use]
    pub const fn get(self) -> DateTime<Utc> {
        self.0
    }
}

/// Truncates to whole microseconds. A leap second becomes the next second, as in Postgres. A time
/// outside the years 0 to 9999 becomes the nearest time inside them; no clock returns such a time.
impl From<DateTime<Utc>> for Timestamp {
    fn from(datetime: DateTime<Utc>) -> Self {
        let micros = datetime.timestamp_micros().clamp(Self::EARLIEST, Self::LATEST);
        Self(DateTime::from_timestamp_micros(micros).unwrap_or(datetime))
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
        let datetime = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError)?;
        Self::from_micros(datetime.timestamp_micros())
    }
}
