//! Measured times.

use std::fs;
use std::time::Duration;

use crate::quick::unless_quick;

/// Idle share of the CPU time, in percent, below which delays show only how busy the machine is.
const MIN_IDLE: u64 = 20;

/// Maximum 99th percentile on a machine without enough idle CPU time. Only a fault takes longer.
const MAX_WHEN_BUSY: Duration = Duration::from_secs(1);

/// The percentile of the times (nearest rank).
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100) - 1]
}

/// A rate for a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Per second.
    pub per_second: u32,
    /// Whether this machine has enough CPU time for it.
    is_affordable: bool,
}

impl Rate {
    /// The limit of the 99th percentile at this rate: `limit` if the machine can serve it.
    pub fn limit(self, limit: Duration) -> Duration {
        if self.is_affordable { limit } else { limit.max(MAX_WHEN_BUSY) }
    }
}

/// The first of these rates that this machine can serve: the 99th percentile is at most `limit`, or the
/// machine has idle CPU time. Otherwise the last rate.
///
/// The first rate is measured several times. Brokers that have just started are slow until their code is
/// compiled.
pub async fn affordable_rate(
    rates: &[u32],
    limit: Duration,
    mut measure: impl AsyncFnMut(u32) -> Vec<Duration>,
) -> Rate {
    let affordable = |per_second| Rate { per_second, is_affordable: true };
    for _ in 0..unless_quick(3, 1) {
        if percentile(&measure(rates[0]).await, 99) <= limit {
            return affordable(rates[0]);
        }
    }
    for &rate in rates {
        let before = cpu_time();
        let p99 = percentile(&measure(rate).await, 99);
        let idle = idle_percent(before, cpu_time());
        println!("{rate}/s: p99 {p99:.1?}, {idle} % of the CPU time is idle");
        if p99 <= limit || idle >= MIN_IDLE {
            return affordable(rate);
        }
    }
    Rate { per_second: rates[rates.len() - 1], is_affordable: false }
}

/// Idle and total CPU time since the start of the machine. Linux only: elsewhere all is idle.
fn cpu_time() -> [u64; 2] {
    let Ok(text) = fs::read_to_string("/proc/stat") else { return [0, 0] };
    let first = text.lines().next().unwrap();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let times = first.split_whitespace().skip(1).take(8).map(|ticks| ticks.parse().unwrap());
    let times: Vec<u64> = times.collect();
    [times[3] + times[4], times.iter().sum()]
}

fn idle_percent(before: [u64; 2], after: [u64; 2]) -> u64 {
    let [idle, total] = [0, 1].map(|field| after[field] - before[field]);
    (100 * idle).checked_div(total).unwrap_or(100)
}
