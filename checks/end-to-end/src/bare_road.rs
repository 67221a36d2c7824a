//! The least that an event needs on this machine: the reference of measured delays.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::instance::programs;
use crate::times::percentile;

/// Duration of a measurement, in seconds.
const SECONDS: &str = "6";

/// Number of measurements, for the names of their topics.
static MEASUREMENTS: AtomicUsize = AtomicUsize::new(0);

/// The maximum 99th percentile of a delay: `limit`, or on a slow machine, `times` that of the bare road.
pub fn limit(limit: Duration, times: u32, bare: &[Duration]) -> Duration {
    limit.max(percentile(bare, 50) * times)
}

/// The 99th percentile of the delay of the bare road (`checks/benchmark`) at this rate.
pub fn p99(cluster: &Cluster, rate: u32) -> Duration {
    let number = MEASUREMENTS.fetch_add(1, Ordering::Relaxed);
    let topic = format!("bare-road-{}-{number}", std::process::id());
    cluster.run(&["kafka", "topics", "--create", "--topic", &topic, "--partitions", "12"]);
    let mut command = Command::new(programs().join("benchmark"));
    command.args(["bare-road", "--topic", &topic, "--seconds", SECONDS, "--rate"]);
    let output = command.arg(rate.to_string()).output().unwrap();
    // A broker that has crashed checks the partitions of all topics before it is ready.
    cluster.run(&["kafka", "topics", "--delete", "--topic", &topic]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let p99: Option<f64> = printed.split_whitespace().nth(1).and_then(|ms| ms.parse().ok());
    Duration::from_secs_f64(p99.unwrap_or_else(|| panic!("{printed}")) / 1e3)
}
