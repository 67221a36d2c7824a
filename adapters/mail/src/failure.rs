use application::notification::SendError;

/// The step at which a letter was not sent, in the sequence of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// DNS, TCP, TLS, the server's greeting and `EHLO`.
    Connect,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`.
    Data,
    /// The content, up to the server's answer to it.
    Content,
}

/// What happened at the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server refused it.
    Refused {
        /// The code of the answer, from 400 to 599.
        code: u16,
        /// The text of the answer.
        text: String,
    },
    /// There was no answer: the connection was closed, timed out or could not be encrypted. Contains
    /// what is known about it.
    NoAnswer(String),
}

/// Why a letter was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) cause: Cause,
}

/// The answer that the server sends when it shuts down or closes an idle connection.
const CLOSING: u16 = 421;

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "end of data",
        }
    }
}

impl Failure {
    /// Whether the server has closed a connection that was idle. Nothing of the letter was sent, so it
    /// can be sent on another connection.
    pub(crate) const fn is_stale_connection(&self) -> bool {
        matches!(self.step, Step::Sender) && self.ends_connection()
    }

    /// Whether the connection cannot be used any more.
    pub(crate) const fn ends_connection(&self) -> bool {
        matches!(self.cause, Cause::NoAnswer(_) | Cause::Refused { code: CLOSING, text: _ })
    }

    /// What it means for the letter. `redact` removes personal data from the text.
    ///
    /// Up to the answer to `MAIL FROM`, the server has seen nothing that is particular to the letter. A
    /// failure until then concerns all letters and is an outage: even a permanent refusal, which is caused
    /// by the settings. So is the demand for a login at any step. After that, a failure counts as an
    /// attempt, because a letter that always breaks the connection would otherwise be retried forever.
    pub(crate) fn into_error(self, redact: impl Fn(&str) -> String) -> SendError {
        let Self { step, cause } = self;
        let (code, text) = match cause {
            Cause::Refused { code, text } => (Some(code), format!("{code} {text}")),
            Cause::NoAnswer(text) => (None, text),
        };
        let reason = redact(&format!("{}: {text}", step.name()));
        match code {
            _ if step <= Step::Sender => SendError::Unreachable(reason),
            // RFC 4954, 6: the server demands a login, or another one.
            Some(530 | 534 | 535 | 538) => SendError::Unreachable(reason),
            Some(500..) => SendError::Never(reason),
            Some(_) | None => SendError::Later { reason, after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Kind {
        Unreachable,
        Later,
        Never,
    }
    use Kind::{Later, Never, Unreachable};

    const NO_ANSWER: u16 = 0;

    /// What each answer means at each step.
    const TABLE: &[(u16, [(Step, Kind); 7])] = &[
        (NO_ANSWER, row([Later, Later, Later])),
        (421, row([Later, Later, Later])),
        (450, row([Later, Later, Later])),
        (451, row([Later, Later, Later])),
        (452, row([Later, Later, Later])),
        (454, row([Later, Later, Later])),
        (501, row([Never, Never, Never])),
        (530, row([Unreachable, Unreachable, Unreachable])),
        (535, row([Unreachable, Unreachable, Unreachable])),
        (550, row([Never, Never, Never])),
        (552, row([Never, Never, Never])),
        (553, row([Never, Never, Never])),
        (554, row([Never, Never, Never])),
    ];

    const fn row([recipient, data, content]: [Kind; 3]) -> [(Step, Kind); 7] {
        [
            (Step::Connect, Unreachable),
            (Step::StartTls, Unreachable),
            (Step::Auth, Unreachable),
            (Step::Sender, Unreachable),
            (Step::Recipient, recipient),
            (Step::Data, data),
            (Step::Content, content),
        ]
    }

    fn failure(step: Step, code: u16) -> Failure {
        let text = "no".to_owned();
        let cause = match code {
            NO_ANSWER => Cause::NoAnswer(text),
            code => Cause::Refused { code, text },
        };
        Failure { step, cause }
    }

    #[test]
    fn each_answer_at_each_step_is_judged_as_in_the_table() {
        for (code, row) in TABLE {
            for (step, expected) in row {
                let kind = match failure(*step, *code).into_error(str::to_owned) {
                    SendError::Unreachable(_) => Unreachable,
                    SendError::Later { .. } => Later,
                    SendError::Never(_) => Never,
                    SendError::Gone(_) => panic!("a mail server never says this"),
                };
                assert_eq!(kind, *expected, "{code} at {step:?}");
            }
        }
    }

    #[test]
    fn the_reason_names_the_step_and_the_answer_and_is_redacted() {
        let reason = |failure: Failure| match failure.into_error(|text| format!("<{text}>")) {
            SendError::Unreachable(reason)
            | SendError::Never(reason)
            | SendError::Later { reason, .. }
            | SendError::Gone(reason) => reason,
        };
        assert_eq!(reason(failure(Step::Recipient, 550)), "<RCPT TO: 550 no>");
        assert_eq!(reason(failure(Step::Content, 451)), "<end of data: 451 no>");
        assert_eq!(reason(failure(Step::Auth, 535)), "<AUTH: 535 no>");
        assert_eq!(reason(failure(Step::Connect, NO_ANSWER)), "<connecting: no>");
    }

    #[test]
    fn only_a_connection_that_ends_before_the_letter_is_stale() {
        for (step, code, stale) in [
            (Step::Sender, NO_ANSWER, true),
            (Step::Sender, 421, true),
            (Step::Sender, 451, false),
            (Step::Connect, NO_ANSWER, false),
            (Step::Recipient, NO_ANSWER, false),
            (Step::Recipient, 421, false),
            (Step::Content, NO_ANSWER, false),
        ] {
            assert_eq!(failure(step, code).is_stale_connection(), stale, "{code} at {step:?}");
        }
    }
}
