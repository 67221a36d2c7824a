use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use runtime::{Check, Outage};

/// How long something that an operator should know, and that does not last, is shown.
const SHOWN: Duration = Duration::from_mins(10);

/// How a consumer is, for whoever answers `/readyz`.
#[derive(Debug, Clone, Default)]
pub struct ConsumerHealth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    joined: AtomicBool,
    partitions: AtomicUsize,
    brokers: Outage,
    refusal: Outage,
    waits_for: Mutex<Option<String>>,
    warning: Mutex<Option<(Instant, String)>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            joined: AtomicBool::default(),
            partitions: AtomicUsize::default(),
            brokers: Outage::of("Kafka"),
            refusal: Outage::of("the topic, or the group,"),
            waits_for: Mutex::default(),
            warning: Mutex::default(),
        }
    }
}

impl ConsumerHealth {
    /// Readiness: the consumer has its place in its group.
    #[must_use]
    pub fn check(&self) -> Check {
        let (health, warns) = (self.clone(), self.clone());
        Check::new("kafka", move || {
            let waits = || health.problem().unwrap_or_else(|| "not in its group yet".to_owned());
            std::future::ready(if health.is_ready() { Ok(()) } else { Err(waits()) })
        })
        .with_warning(move || warns.warning())
    }

    /// Whether it is a member of its group and takes events in. A member may have no partition, if
    /// the group has more members than the topic has partitions.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.joined.load(Ordering::Relaxed) && self.problem().is_none()
    }

    /// What it waits for, if it cannot go on by itself.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let outage = || self.0.brokers.is_on().then(|| "no Kafka broker can be reached".to_owned());
        let refusal = || self.0.refusal.is_on().then(|| "Kafka does not let it read".to_owned());
        let waits_for = self.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waits_for.or_else(outage).or_else(refusal)
    }

    /// What an operator should know of the last ten minutes, though it goes on: records were lost.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let warning = self.0.warning.lock().unwrap_or_else(PoisonError::into_inner);
        warning.as_ref().filter(|(since, _)| since.elapsed() < SHOWN).map(|(_, what)| what.clone())
    }

    /// The partitions that are its own at the moment.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.0.partitions.load(Ordering::Relaxed)
    }

    pub(super) fn joined_with(&self, partitions: usize) {
        self.0.partitions.store(partitions, Ordering::Relaxed);
        self.0.joined.store(true, Ordering::Relaxed);
    }

    /// It has so many partitions left, whether it is in the group or about to leave it.
    pub(super) fn keeps(&self, partitions: usize) {
        self.0.partitions.store(partitions, Ordering::Relaxed);
    }

    pub(super) fn left(&self) {
        self.0.partitions.store(0, Ordering::Relaxed);
        self.0.joined.store(false, Ordering::Relaxed);
    }

    pub(super) fn sees_a_broker(&self) {
        self.0.brokers.ends();
    }

    pub(super) fn sees_no_broker(&self, why: &str) {
        self.0.brokers.begins(why);
    }

    pub(super) fn may_read(&self) {
        self.0.refusal.ends();
    }

    pub(super) fn may_not_read(&self, why: &str) {
        self.0.refusal.begins(why);
    }

    pub(super) fn warns(&self, what: String) {
        *self.0.warning.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), what));
    }

    pub(super) fn waits_for(&self, what: String) {
        *self.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    pub(super) fn goes_on(&self) {
        *self.0.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
