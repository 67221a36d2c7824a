use domain::Timestamp;
use serde::Serializer;

/// Serializes a timestamp in the format of all answers: RFC 3339 in UTC, with six digits for
/// microseconds.
///
/// # Errors
/// When the serializer fails.
pub fn timestamp<S: Serializer>(
    timestamp: &(impl Copy + Into<Timestamp>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&(*timestamp).into())
}

/// Serializes an optional timestamp in the same format, `None` as `null`.
///
/// # Errors
/// When the serializer fails.
#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
pub fn optional_timestamp<S: Serializer>(
    timestamp: &Option<impl Copy + Into<Timestamp>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match timestamp {
        Some(timestamp) => serializer.collect_str(&(*timestamp).into()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct Body {
        #[serde(serialize_with = "timestamp")]
        at: chrono::DateTime<chrono::Utc>,
        #[serde(serialize_with = "optional_timestamp")]
        then: Option<Timestamp>,
        #[serde(serialize_with = "optional_timestamp")]
        never: Option<Timestamp>,
    }

    #[test]
    fn a_timestamp_has_six_digits_also_without_a_fraction() {
        let body = Body {
            at: "2026-01-31T12:00:00Z".parse().unwrap(),
            then: Some("2026-01-31T13:00:00.5+01:00".parse().unwrap()),
            never: None,
        };
        let expected = r#"{"at":"2026-01-31T12:00:00.000000Z","then":"2026-01-31T12:00:00.500000Z","never":null}"#;
        assert_eq!(serde_json::to_string(&body).unwrap(), expected);
    }
}
