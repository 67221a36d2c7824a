use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Maximum number of lanes in a claim.
pub const MAX_LANES_PER_CLAIM: usize = 4;

/// Decides how many lanes a claim takes.
///
/// If the lanes have few records, a claim takes several lanes to fill its batch. If a lane of the
/// last claim had more records than its part of the batch, the next claim takes one lane, and other
/// relays can claim the others.
#[derive(Debug, Clone, Default)]
pub(super) struct LanesPerClaim {
    /// Whether a lane of the last claim had more records than its part of the batch.
    lanes_full: Arc<AtomicBool>,
}

impl LanesPerClaim {
    /// Maximum number of lanes in the next claim, for a batch of up to `limit` records.
    pub(super) fn max(&self, limit: usize) -> usize {
        if self.lanes_full.load(Ordering::Relaxed) { 1 } else { MAX_LANES_PER_CLAIM.min(limit) }
    }

    /// Stores whether a lane of the last claim had more records than its part of the batch.
    pub(super) fn set_lanes_full(&self, full: bool) {
        self.lanes_full.store(full, Ordering::Relaxed);
    }
}
