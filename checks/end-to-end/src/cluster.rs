//! The cluster, which all tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Mutex, MutexGuard};

/// The topic with the events of all orders.
pub const TOPIC: &str = "order-created-topic";

/// The topic with what the pharmacy reports.
pub const PHARMACY_TOPIC: &str = "pharmacy-order-topic";

/// The number of partitions of each, and of the topic for offsets.
pub const PARTITIONS: usize = 12;

/// Held by the test that uses the cluster.
static LOCK: Mutex<()> = Mutex::const_new(());

/// The cluster that `deploy/cluster/cluster up` has started. Only one test at a time can use it.
pub struct Cluster {
    _lock: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Waits until no other test uses it.
    pub async fn lock() -> Self {
        Self { _lock: LOCK.lock().await }
    }

    /// Runs a command of the script `deploy/cluster/cluster`, such as `kill-broker 2`.
    #[allow(
        clippy::unused_self,
        reason = "only the test that holds the lock may change the cluster"
    )]
    pub fn run(&self, command: &[&str]) {
        let status = Command::new(script()).args(command).status().unwrap();
        assert!(status.success(), "cluster {command:?}: {status}");
    }
}

/// The script that started the cluster.
pub fn script() -> PathBuf {
    repository().join("deploy/cluster/cluster")
}

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
