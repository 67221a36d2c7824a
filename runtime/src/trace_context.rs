//! The trace a request belongs to (W3C Trace Context), carried from HTTP into the outbox.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use crate::clock;

/// A `traceparent` of version 00: which trace, and which span in it caused what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must look like 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")]
pub struct TraceParentError;

tokio::task_local! {
    static CURRENT: TraceParent;
}

impl TraceParent {
    /// The beginning of a trace of its own.
    #[must_use]
    pub fn root() -> Self {
        Self { trace_id: clock::random().max(1), span_id: span_id(), sampled: true }
    }

    /// A step further in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: span_id(), ..self }
    }

    /// The trace's id, as 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// Runs `work` as part of this trace.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The trace the current task works for.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_get().ok()
    }
}

fn span_id() -> u64 {
    // Truncation is the point: any 64 of the random bits will do.
    #[allow(clippy::cast_possible_truncation)]
    let id = clock::random() as u64;
    id.max(1)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace_id, self.span_id)
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |part: &str, length: usize| {
            let fits = part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
            fits.then(|| u128::from_str_radix(part, 16).ok()).flatten().ok_or(TraceParentError)
        };
        let parts: Vec<&str> = text.trim().split('-').collect();
        let ["00", trace_id, span_id, flags] = parts[..] else {
            return Err(TraceParentError);
        };
        let trace_id = hex(trace_id, 32)?;
        let span_id = u64::try_from(hex(span_id, 16)?).map_err(|_| TraceParentError)?;
        let sampled = hex(flags, 2)? & 1 == 1;
        if trace_id == 0 || span_id == 0 {
            return Err(TraceParentError);
        }
        Ok(Self { trace_id, span_id, sampled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_prints_as_it_was_read() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), text);
        let root = TraceParent::root();
        assert_eq!(root.to_string().parse(), Ok(root));
    }

    #[test]
    fn a_text_that_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00-0-0-0",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(TraceParentError), "{text}");
        }
    }
}
