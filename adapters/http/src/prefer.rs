use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::time::Instant;

/// How long a client is willing to wait for an answer: the preference `wait` of the header `Prefer`
/// (RFC 7240, 4.3), in whole seconds from 1 to [`Self::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreferWait {
    seconds: u64,
    deadline: Instant,
}

/// The preference `wait` of a request, if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalPreferWait(pub Option<PreferWait>);

impl PreferWait {
    /// Maximum number of seconds. A longer wait counts as this.
    pub const MAX: u64 = 10;

    /// When the client wants an answer: so long after the head of the request was received.
    #[must_use]
    pub const fn deadline(self) -> Instant {
        self.deadline
    }

    /// The value of `Preference-Applied`, such as `wait=5`.
    #[must_use]
    pub fn applied(self) -> String {
        format!("wait={}", self.seconds)
    }

    /// Reads the values of the header. The first `wait` counts. A preference that is malformed is
    /// ignored, as RFC 7240 says.
    fn read<'a>(values: impl IntoIterator<Item = &'a [u8]>, received: Instant) -> Option<Self> {
        let seconds = values
            .into_iter()
            .flat_map(|value| split(value, b','))
            .find_map(|preference| wait(split(preference, b';').first().copied()?))?;
        let seconds = seconds.min(Self::MAX);
        let deadline = received + Duration::from_secs(seconds);
        (seconds > 0).then_some(Self { seconds, deadline })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OptionalPreferWait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts.headers.get_all("prefer").iter().map(axum::http::HeaderValue::as_bytes);
        Ok(Self(PreferWait::read(values, Instant::now())))
    }
}

/// The seconds of `wait=5`: 0 if they are malformed, `None` for another preference.
fn wait(preference: &[u8]) -> Option<u64> {
    let text = str::from_utf8(preference).ok()?;
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if !name.trim().eq_ignore_ascii_case("wait") {
        return None;
    }
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let digits = quoted.unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    // A number that is too large for `u64` is longer than every limit.
    Some(if is_number { digits.parse().unwrap_or(u64::MAX) } else { 0 })
}

/// Splits a list at this separator, except in quoted strings.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|byte| {
        let separates = *byte == separator && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<u64> {
        read_bytes(values.iter().map(|value| value.as_bytes()))
    }

    fn read_bytes<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<u64> {
        let received = Instant::now();
        PreferWait::read(values, received).map(|wait| {
            assert_eq!(wait.deadline(), received + Duration::from_secs(wait.seconds));
            assert_eq!(wait.applied(), format!("wait={}", wait.seconds));
            wait.seconds
        })
    }

    #[test]
    fn the_first_wait_in_the_list_of_preferences_counts() {
        for (values, seconds) in [
            (&["wait=5"][..], 5),
            (&["WAIT = 5"], 5),
            (&["wait=\"5\""], 5),
            (&["wait=005"], 5),
            (&["wait=5;a=b"], 5),
            (&["respond-async, wait=5"], 5),
            (&["respond-async", "wait=5, wait=7"], 5),
            (&["foo; bar=\"a, wait=3\", wait=5"], 5),
            (&["foo=\"\\\", wait=3\", wait=5"], 5),
            (&[",, wait=5"], 5),
            (&["\u{e9}, wait=5"], 5),
            (&["wait=11"], 10),
            (&["wait=99999999999999999999999999"], 10),
        ] {
            assert_eq!(read(values), Some(seconds), "{values:?}");
        }
    }

    #[test]
    fn a_malformed_wait_is_ignored() {
        for values in [
            &[][..],
            &[""],
            &["wait"],
            &["wait="],
            &["wait=0"],
            &["wait=-1"],
            &["wait=+1"],
            &["wait=1.5"],
            &["wait=1s"],
            &["wait=\"1"],
            &["wait=\u{661}"],
            &["wait 5"],
            &["await=5"],
            &["a;wait=5"],
            &["wait=x, wait=5"],
            &["return=minimal, ;;=,"],
        ] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_text_hide_only_their_preference() {
        assert_eq!(read_bytes([&b"\xff, wait=5"[..]]), Some(5));
    }
}
