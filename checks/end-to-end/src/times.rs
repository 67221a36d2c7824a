//! Measured times.

use std::time::Duration;

/// Maximum number of runs to warm up.
const MAX_WARM_UPS: usize = 4;

/// The percentile of the times (nearest rank).
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100) - 1]
}

/// Repeats a measurement until its 99th percentile is at most `limit`. Brokers that have just started
/// are slow until their code is compiled.
pub async fn warm_up(limit: Duration, mut measure: impl AsyncFnMut() -> Vec<Duration>) {
    for _ in 0..MAX_WARM_UPS {
        if percentile(&measure().await, 99) <= limit {
            return;
        }
    }
}
