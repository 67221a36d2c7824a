use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use runtime::{Check, Outage};

/// How long `/readyz` shows a warning about a past event.
const WARNING_DURATION: Duration = Duration::from_mins(10);

/// Health of a consumer, shown by `/readyz`.
#[derive(Debug, Clone, Default)]
pub struct ConsumerHealth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    joined: AtomicBool,
    partitions: AtomicUsize,
    brokers: Outage,
    authorization: Outage,
    blocked: Mutex<Option<String>>,
    warning: Mutex<Option<(Instant, String)>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            joined: AtomicBool::default(),
            partitions: AtomicUsize::default(),
            brokers: Outage::of("Kafka"),
            authorization: Outage::of("the topic or the consumer group"),
            blocked: Mutex::default(),
            warning: Mutex::default(),
        }
    }
}

impl ConsumerHealth {
    /// The readiness check `consumer`: the consumer has joined its group and nothing blocks it.
    #[must_use]
    pub fn check(&self) -> Check {
        let (health, warned) = (self.clone(), self.clone());
        Check::new("consumer", move || {
            let reason = || {
                health
                    .problem()
                    .unwrap_or_else(|| "the consumer has not joined its group yet".to_owned())
            };
            std::future::ready(if health.is_ready() { Ok(()) } else { Err(reason()) })
        })
        .with_warning(move || warned.warning())
    }

    /// Whether the consumer is a member of its group and can apply events. A member can have no
    /// partitions if the group has more members than the topic has partitions.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.joined.load(Ordering::Relaxed) && self.problem().is_none()
    }

    /// What blocks the consumer at the moment, if anything does.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let outage = || self.0.brokers.is_on().then(|| "no Kafka broker can be reached".to_owned());
        let unauthorized = || {
            let reason = "Kafka does not allow this client to read the topic or join the group";
            self.0.authorization.is_on().then(|| reason.to_owned())
        };
        let blocked = self.0.blocked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        blocked.or_else(outage).or_else(unauthorized)
    }

    /// A warning of the last ten minutes that does not stop the consumer: records were lost.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let warning = self.0.warning.lock().unwrap_or_else(PoisonError::into_inner);
        warning
            .as_ref()
            .filter(|(since, _)| since.elapsed() < WARNING_DURATION)
            .map(|(_, warning)| warning.clone())
    }

    /// The number of partitions that are assigned to this consumer.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.0.partitions.load(Ordering::Relaxed)
    }

    pub(super) fn set_joined(&self, partitions: usize) {
        self.0.partitions.store(partitions, Ordering::Relaxed);
        self.0.joined.store(true, Ordering::Relaxed);
    }

    /// Sets the number of partitions after a revocation. The consumer stays joined.
    pub(super) fn set_partitions(&self, partitions: usize) {
        self.0.partitions.store(partitions, Ordering::Relaxed);
    }

    pub(super) fn set_left(&self) {
        self.0.partitions.store(0, Ordering::Relaxed);
        self.0.joined.store(false, Ordering::Relaxed);
    }

    pub(super) fn set_broker_reachable(&self) {
        self.0.brokers.report_success();
    }

    pub(super) fn brokers_are_unreachable(&self) -> bool {
        self.0.brokers.is_on()
    }

    pub(super) fn set_brokers_unreachable(&self, why: &str) {
        self.0.brokers.report_failure(why);
    }

    /// Like [`Self::set_brokers_unreachable`], with the cause: the brokers reject this client.
    pub(super) fn set_rejected(&self, why: &str) {
        self.0.brokers.report_cause(why);
    }

    pub(super) fn set_authorized(&self) {
        self.0.authorization.report_success();
    }

    pub(super) fn set_unauthorized(&self, why: &str) {
        self.0.authorization.report_failure(why);
    }

    pub(super) fn set_warning(&self, warning: String) {
        *self.0.warning.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), warning));
    }

    pub(super) fn set_blocked(&self, reason: String) {
        *self.0.blocked.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(super) fn clear_blocked(&self) {
        *self.0.blocked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
