use std::error::Error;
use std::time::Duration;

use application::notification::{Answer, SendError};
use reqwest::StatusCode;

use crate::excerpt::excerpt;
use crate::resolver::ResolveError;
use crate::secrets_key::OpenError;
use crate::signature::SignError;
use crate::vet_url::UrlError;

/// What happened when a webhook was called.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The receiver has answered.
    Answered {
        status: StatusCode,
        /// The wait that it asks for.
        after: Option<Duration>,
        /// The beginning of the body.
        body: String,
    },
    /// The policy does not permit the URL.
    Refused(UrlError),
    /// The HTTP client cannot make a request of the URL.
    Unusable,
    /// The call cannot be signed.
    Unsigned(SignError),
    /// The system has no CA certificates to verify the receiver with.
    NoAuthorities,
    /// The receiver has not answered in time.
    TimedOut,
    /// The connection failed. Contains the reason.
    Failed(String),
}

impl Attempt {
    /// The attempt that ended with this error.
    pub(crate) fn failed(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unusable;
        }
        let causes = || std::iter::successors(error.source(), |&error| error.source());
        // The causes contain no URL. It may contain a password of the receiver.
        let resolve = causes().find_map(|cause| cause.downcast_ref::<ResolveError>());
        let reason = match (resolve, causes().last()) {
            (Some(error), _) => error.to_string(),
            (None, _) if error.is_timeout() => "no connection within the time limit".to_owned(),
            (None, Some(cause)) if error.is_connect() => format!("cannot connect: {cause}"),
            (None, Some(cause)) => format!("the connection failed: {cause}"),
            (None, None) => "the connection failed".to_owned(),
        };
        Self::Failed(excerpt(&reason))
    }

    /// Whether the notification was sent, and if not, whether it is sent again.
    pub(crate) fn outcome(self) -> Result<Answer, SendError> {
        let later = |reason: String, after| Err(SendError::Later { reason, after });
        match self {
            Self::Answered { status, after, body } => {
                let answer = answer(status, &body);
                match status.as_u16() {
                    200..=299 => Ok(Answer(answer)),
                    300..=399 => later(format!("redirects are not followed: {answer}"), after),
                    410 => Err(SendError::Gone(answer)),
                    _ => later(answer, after),
                }
            }
            Self::Refused(error) => Err(SendError::Never(format!("the URL {error}"))),
            Self::Unusable => Err(SendError::Never("the URL is not possible in HTTP".to_owned())),
            // No webhook can be called until this service is set up. No receiver is at fault.
            Self::Unsigned(SignError::Secret(OpenError::NoKey(error))) => {
                Err(SendError::Unreachable(error.to_string()))
            }
            Self::NoAuthorities => {
                Err(SendError::Unreachable("no CA certificates are installed".to_owned()))
            }
            Self::Unsigned(error) => later(error.to_string(), None),
            Self::TimedOut => later("no answer within the time limit".to_owned(), None),
            Self::Failed(reason) => later(reason, None),
        }
    }
}

/// `HTTP 204`, or `HTTP 500: ` and the beginning of the body.
fn answer(status: StatusCode, body: &str) -> String {
    match excerpt(body) {
        body if body.is_empty() => format!("HTTP {}", status.as_u16()),
        body => format!("HTTP {}: {body}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use application::notification::NoSecretsKey;

    use super::*;

    fn answered(status: u16, after: Option<u64>, body: &str) -> Attempt {
        let status = StatusCode::from_u16(status).unwrap();
        Attempt::Answered { status, after: after.map(Duration::from_secs), body: body.to_owned() }
    }

    fn sent(answer: &str) -> Answer {
        Answer(answer.to_owned())
    }

    fn later(reason: &str, after: Option<u64>) -> Result<Answer, SendError> {
        let after = after.map(Duration::from_secs);
        Err(SendError::Later { reason: reason.to_owned(), after })
    }

    fn outage(reason: &str) -> Result<Answer, SendError> {
        Err(SendError::Unreachable(reason.to_owned()))
    }

    fn never(reason: &str) -> Result<Answer, SendError> {
        Err(SendError::Never(reason.to_owned()))
    }

    fn gone(answer: &str) -> Result<Answer, SendError> {
        Err(SendError::Gone(answer.to_owned()))
    }

    #[test]
    fn each_attempt_has_its_outcome() {
        let table = [
            (answered(200, None, "ok"), Ok(sent("HTTP 200: ok"))),
            (answered(202, Some(9), ""), Ok(sent("HTTP 202"))),
            (answered(204, None, ""), Ok(sent("HTTP 204"))),
            (answered(299, None, ""), Ok(sent("HTTP 299"))),
            (answered(410, None, ""), gone("HTTP 410")),
            (answered(410, Some(9), "bye\n"), gone("HTTP 410: bye")),
            (answered(301, None, ""), later("redirects are not followed: HTTP 301", None)),
            (answered(302, None, ""), later("redirects are not followed: HTTP 302", None)),
            (
                answered(307, Some(9), "x"),
                later("redirects are not followed: HTTP 307: x", Some(9)),
            ),
            (answered(101, None, ""), later("HTTP 101", None)),
            (answered(400, None, ""), later("HTTP 400", None)),
            (answered(401, None, ""), later("HTTP 401", None)),
            (answered(404, None, "no"), later("HTTP 404: no", None)),
            (answered(413, Some(1), ""), later("HTTP 413", Some(1))),
            (answered(429, Some(120), ""), later("HTTP 429", Some(120))),
            (answered(500, None, "a\r\nb"), later("HTTP 500: a b", None)),
            (answered(503, Some(0), ""), later("HTTP 503", Some(0))),
            (answered(999, None, ""), later("HTTP 999", None)),
            (Attempt::Refused(UrlError::Scheme), never("the URL must use https")),
            (Attempt::Unusable, never("the URL is not possible in HTTP")),
            (Attempt::Unsigned(SignError::NoSecret), later("the webhook has no secret", None)),
            (
                Attempt::Unsigned(OpenError::NoKey(NoSecretsKey).into()),
                outage("set WEBHOOK_SECRETS_KEY_FILE to use webhooks"),
            ),
            (
                Attempt::Unsigned(OpenError::Format.into()),
                later(&OpenError::Format.to_string(), None),
            ),
            (Attempt::NoAuthorities, outage("no CA certificates are installed")),
            (Attempt::TimedOut, later("no answer within the time limit", None)),
            (Attempt::Failed("refused".to_owned()), later("refused", None)),
        ];
        for (attempt, expected) in table {
            let name = format!("{attempt:?}");
            assert_eq!(attempt.outcome(), expected, "{name}");
        }
    }
}
