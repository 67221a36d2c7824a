use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::lane::LANES;

/// Maximum number of lanes in a claim: all of them.
pub const MAX_LANES_PER_CLAIM: usize = LANES as usize;

/// How long claims take one lane after records could not be sent. A broker that is missing is replaced
/// within this time.
const OUTAGE: Duration = Duration::from_secs(30);

/// Decides how many lanes a claim takes.
///
/// If the lanes have few records, a claim takes all lanes that have some, so that few batches are published.
/// If a lane of the last claim had more records than its part of the batch, the next claim takes one lane,
/// and other relays can claim the others. Claims also take one lane for a while after records could not be
/// sent: lanes are locked while their claim waits for an unavailable partition.
#[derive(Debug, Clone, Default)]
pub(super) struct LanesPerClaim(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether a lane of the last claim had more records than its part of the batch.
    lanes_full: AtomicBool,
    /// When records could not be sent for the last time.
    unsent: Mutex<Option<Instant>>,
}

impl LanesPerClaim {
    /// Maximum number of lanes in the next claim, for a batch of up to `limit` records.
    pub(super) fn max(&self, limit: usize) -> usize {
        let State { lanes_full, unsent } = self.0.as_ref();
        let unsent = unsent.lock().unwrap_or_else(PoisonError::into_inner);
        let is_outage = unsent.is_some_and(|unsent| unsent.elapsed() < OUTAGE);
        if lanes_full.load(Ordering::Relaxed) || is_outage {
            1
        } else {
            MAX_LANES_PER_CLAIM.min(limit)
        }
    }

    /// Stores whether a lane of the last claim had more records than its part of the batch.
    pub(super) fn set_lanes_full(&self, full: bool) {
        self.0.lanes_full.store(full, Ordering::Relaxed);
    }

    /// Notes that records could not be sent.
    pub(super) fn note_unsent(&self) {
        *self.0.unsent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn claims_take_one_lane_for_a_while_after_records_could_not_be_sent() {
        let lanes = LanesPerClaim::default();
        assert_eq!(lanes.max(1000), MAX_LANES_PER_CLAIM);
        lanes.note_unsent();
        assert_eq!(lanes.max(1000), 1);
        tokio::time::advance(OUTAGE).await;
        assert_eq!(lanes.max(1000), MAX_LANES_PER_CLAIM);
    }
}
