use std::time::{Duration, SystemTime};

use domain::Timestamp;

/// The longest wait that a receiver can ask for.
const MAX: Duration = Duration::from_hours(24);

/// The wait that a `Retry-After` header asks for, at most 24 hours: a number of seconds, or a date (RFC
/// 9110, section 10.2.3). `None` if it is neither.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is a long wait.
        return Some(text.parse().map_or(MAX, Duration::from_secs).min(MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date in the past asks for no wait.
    Some(date.duration_since(SystemTime::from(now.get())).unwrap_or_default().min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_accepted_up_to_a_day() {
        let now: Timestamp = "2026-11-27T12:00:00.500Z".parse().unwrap();
        let table = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 120 ", Some(120_000)),
            ("86400", Some(86_400_000)),
            ("86401", Some(86_400_000)),
            ("99999999999999999999999", Some(86_400_000)),
            ("Fri, 27 Nov 2026 12:02:00 GMT", Some(119_500)),
            ("Friday, 27-Nov-26 12:02:00 GMT", Some(119_500)),
            ("Fri Nov 27 12:02:00 2026", Some(119_500)),
            ("Fri, 27 Nov 2026 11:00:00 GMT", Some(0)),
            ("Thu, 27 Nov 2036 12:00:00 GMT", Some(86_400_000)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("2026-11-27T12:02:00Z", None),
            ("Fri, 27 Nov 2026 12:02:00 CET", None),
        ];
        for (text, millis) in table {
            assert_eq!(retry_after(text, now), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
