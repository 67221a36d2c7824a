//! The cluster, which is one.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Mutex, MutexGuard};

/// The topic that carries every event of every order.
pub const TOPIC: &str = "order-created-topic";

/// How many partitions it has.
pub const PARTITIONS: usize = 12;

/// The cluster is one, so that tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// The cluster that `deploy/cluster/cluster up` has brought up, for one test at a time.
pub struct Cluster {
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Waits until no other test uses it.
    pub async fn alone() -> Self {
        Self { _turn: TURN.lock().await }
    }

    /// Carries out a command of the script, such as `kill-broker 2`.
    #[allow(clippy::unused_self, reason = "only whose turn it is may change the cluster")]
    pub fn does(&self, command: &[&str]) {
        let status = Command::new(script()).args(command).status().unwrap();
        assert!(status.success(), "cluster {command:?}: {status}");
    }
}

/// The script that brought the cluster up.
pub fn script() -> PathBuf {
    repository().join("deploy/cluster/cluster")
}

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
