use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A step of a client that the server answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The client has connected.
    Connect,
    /// `HELO` or `EHLO`.
    Hello,
    /// `AUTH`. By default, every password is accepted.
    Auth,
    /// `MAIL FROM` with the sender's address.
    Sender(&'a str),
    /// `RCPT TO` with the recipient's address.
    Recipient(&'a str),
    /// `DATA`.
    Data,
    /// The end of the mail, with its content.
    Content(&'a [u8]),
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "Connect",
            Self::Hello => "Hello",
            Self::Auth => "Auth",
            Self::Sender(_) => "Sender",
            Self::Recipient(_) => "Recipient",
            Self::Data => "Data",
            Self::Content(_) => "Content",
        })
    }
}

/// What the server does at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Accepts it.
    Accept,
    /// Answers with this code and text. A code below 400 accepts the step. After 421, the server closes
    /// the connection.
    Answer(u16, Cow<'static, str>),
    /// Closes the connection without an answer.
    Close,
    /// Accepts it, and closes the connection without an answer. So a mail is received, and the client
    /// does not know it.
    AcceptAndClose,
    /// Never answers, until the client closes the connection.
    Hang,
}

impl Reaction {
    /// An answer with this code and text.
    #[must_use]
    pub fn answer(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Answer(code, text.into())
    }
}

/// Decides what the server does at each step.
pub(crate) type Behaviour = Arc<dyn Fn(Step<'_>) -> Reaction + Send + Sync>;

/// A behaviour that refuses this percentage of the mails with `451` at their end, at random. The same
/// seed refuses the same ones.
pub fn failing_at_random(percent: u8, seed: u64) -> impl Fn(Step<'_>) -> Reaction + Send + Sync {
    let next = AtomicU64::new(seed);
    move |step| {
        if !matches!(step, Step::Content(_)) {
            return Reaction::Accept;
        }
        let state = next.fetch_add(SPLIT_MIX_STEP, Ordering::Relaxed);
        if split_mix(state.wrapping_add(SPLIT_MIX_STEP)) % 100 < u64::from(percent) {
            Reaction::answer(451, "4.3.0 failed at random")
        } else {
            Reaction::Accept
        }
    }
}

const SPLIT_MIX_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The random number of this state (`SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>).
const fn split_mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(percent: u8, seed: u64) -> Vec<bool> {
        let behaviour = failing_at_random(percent, seed);
        (0..1000).map(|_| behaviour(Step::Content(b"")) != Reaction::Accept).collect()
    }

    #[test]
    fn about_the_given_percentage_fails_and_the_same_seed_fails_the_same_mails() {
        let count = refused(30, 7).iter().filter(|refused| **refused).count();
        assert!((250..350).contains(&count), "{count}");
        assert_eq!(refused(30, 7), refused(30, 7));
        assert_ne!(refused(30, 7), refused(30, 8));
        assert!(!refused(0, 7).contains(&true));
        assert!(!refused(100, 7).contains(&false));
    }

    #[test]
    fn only_mails_are_refused() {
        assert_eq!(failing_at_random(100, 1)(Step::Recipient("ada@example.org")), Reaction::Accept);
    }
}
