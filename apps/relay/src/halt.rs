use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use metrics::gauge;
use runtime::Check;
use tracing::{error, info};

/// Reasons why this relay must not publish, at most one per cause. Clones share them.
///
/// Unlike an outage, a halt means that events would be lost or reordered if the relay continued. It
/// lasts until a check of the outbox or the topic finds no problem. Often, an operator must act first.
#[derive(Debug, Clone)]
pub(crate) struct Halt {
    /// The schema of the outbox.
    schema: &'static str,
    reasons: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

/// The end of the reason before the first check.
const UNCHECKED: &str = "not checked yet";

impl Halt {
    /// No reason so far. `schema` is the one of the outbox.
    pub(crate) fn of(schema: &'static str) -> Self {
        Self { schema, reasons: Arc::default() }
    }

    /// Halts the relay until the first check of `cause`. Logs nothing.
    pub(crate) fn until_checked(&self, cause: &'static str) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.insert(cause, format!("the {cause} is {UNCHECKED}"));
    }

    /// Stores the result of a check of `cause`: the reason to stop, or `None`. Each change is logged
    /// once. The gauge `relay_halted{cause, schema}` is 1 while there is a reason.
    pub(crate) fn set(&self, cause: &'static str, reason: Option<String>) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        gauge!("relay_halted", "cause" => cause, "schema" => self.schema)
            .set(u8::from(reason.is_some()));
        match reason {
            Some(reason) if reasons.get(cause) != Some(&reason) => {
                error!(cause, "publishing is stopped: {reason}");
                reasons.insert(cause, reason);
            }
            Some(_) => {}
            None => {
                if reasons.remove(cause).is_some_and(|reason| !reason.ends_with(UNCHECKED)) {
                    info!(cause, "the problem that stopped publishing is solved");
                }
            }
        }
    }

    /// Why the relay must not publish; `None` if it may.
    pub(crate) fn reason(&self) -> Option<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<&str> = reasons.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The readiness check `publishing`.
    pub(crate) fn check(&self) -> Check {
        let halt = self.clone();
        Check::new("publishing", move || std::future::ready(halt.reason().map_or(Ok(()), Err)))
            .showing_reason()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_may_publish_only_when_every_cause_is_gone() {
        let halt = Halt::of("parcels");
        assert_eq!(halt.reason(), None);
        halt.set("topic", Some("partitions were added".to_owned()));
        halt.set("outbox", Some("a sequence went back".to_owned()));
        assert_eq!(
            halt.clone().reason().as_deref(),
            Some("a sequence went back; partitions were added")
        );
        halt.set("outbox", None);
        assert_eq!(halt.reason().as_deref(), Some("partitions were added"));
        halt.set("topic", None);
        assert_eq!(halt.reason(), None);
        halt.until_checked("outbox");
        assert_eq!(halt.reason().as_deref(), Some("the outbox is not checked yet"));
        halt.set("outbox", None);
        assert_eq!(halt.reason(), None);
    }
}
