use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many lanes a claim takes at once, while there is little in each.
pub const LANES_AT_ONCE: usize = 4;

/// How many lanes a claim is to take. Where there is little in each, several together make a batch;
/// where one has more than its share, it is taken alone next time and the others are left to others.
#[derive(Debug, Clone, Default)]
pub(super) struct Breadth {
    /// Whether the last claim found more in a lane than its share.
    lanes_are_full: Arc<AtomicBool>,
}

impl Breadth {
    /// The lanes for a claim of up to so many records.
    pub(super) fn lanes(&self, limit: usize) -> usize {
        if self.lanes_are_full.load(Ordering::Relaxed) { 1 } else { LANES_AT_ONCE.min(limit) }
    }

    /// Hears whether a lane had more than its share of the last claim.
    pub(super) fn lanes_were_full(&self, full: bool) {
        self.lanes_are_full.store(full, Ordering::Relaxed);
    }
}
