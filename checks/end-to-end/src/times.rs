//! Measured times.

use std::time::Duration;

/// Maximum number of runs to warm up.
const MAX_WARM_UPS: usize = 15;

/// The percentile of the times (nearest rank).
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100) - 1]
}

/// Repeats a measurement until its median no longer improves: three runs in a row were not more than a
/// tenth faster than the fastest before. Brokers that have just started are slow until their code is
/// compiled.
pub async fn warm_up(mut measure: impl AsyncFnMut() -> Vec<Duration>) {
    let (mut fastest, mut not_faster) = (Duration::MAX, 0);
    for _ in 0..MAX_WARM_UPS {
        let median = percentile(&measure().await, 50);
        not_faster = if median * 10 >= fastest.saturating_mul(9) { not_faster + 1 } else { 0 };
        fastest = fastest.min(median);
        if not_faster == 3 {
            return;
        }
    }
}
