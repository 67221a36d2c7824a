use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Up to here a floating-point number is one whole number and no other (RFC 8259, section 6).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a whole number as JSON and JSON Schema have it: `2.0` is the same number as `2`, and some
/// clients write it so.
///
/// # Errors
/// When it is anything else, or a number of that form too large to be exact.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_i64(WholeNumber)
}

struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 64 bits")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        number.try_into().map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    #[allow(clippy::cast_possible_truncation, reason = "it is whole and exact")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        if number.fract() == 0.0 && number.abs() <= EXACT {
            Ok(number as i64)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64, serde_json::Error> {
        whole_number(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_whole_number_may_be_written_as_json_allows() {
        for (json, number) in [
            ("2", 2),
            ("-2", -2),
            ("2.0", 2),
            ("2e2", 200),
            ("-0.0", 0),
            ("2251799813685247.0", 2_251_799_813_685_247),
            ("9223372036854775807", i64::MAX),
            ("9007199254740992.0", 9_007_199_254_740_992),
        ] {
            assert_eq!(read(json).unwrap(), number, "{json}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in ["2.5", "1e99", "9007199254740994.0", "9223372036854775808", "\"2\"", "null"] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains("expected a whole number of 64 bits"), "{json}: {error}");
        }
    }
}
