use domain::Timestamp;
use serde::Serializer;

/// Writes a moment as every answer does: RFC 3339, in UTC, with all six digits of the microseconds.
///
/// # Errors
/// When the serializer fails.
pub fn moment<S: Serializer>(
    moment: &(impl Copy + Into<Timestamp>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&(*moment).into())
}

/// The same, of a moment that may not have come.
///
/// # Errors
/// When the serializer fails.
#[allow(clippy::ref_option, reason = "serde hands over the field as it is")]
pub fn moment_if_any<S: Serializer>(
    moment: &Option<impl Copy + Into<Timestamp>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.collect_str(&(*moment).into()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct Told {
        #[serde(serialize_with = "moment")]
        at: chrono::DateTime<chrono::Utc>,
        #[serde(serialize_with = "moment_if_any")]
        then: Option<Timestamp>,
        #[serde(serialize_with = "moment_if_any")]
        never: Option<Timestamp>,
    }

    #[test]
    fn a_moment_has_six_digits_even_on_the_second() {
        let told = Told {
            at: "2026-01-31T12:00:00Z".parse().unwrap(),
            then: Some("2026-01-31T13:00:00.5+01:00".parse().unwrap()),
            never: None,
        };
        let expected = r#"{"at":"2026-01-31T12:00:00.000000Z","then":"2026-01-31T12:00:00.500000Z","never":null}"#;
        assert_eq!(serde_json::to_string(&told).unwrap(), expected);
    }
}
