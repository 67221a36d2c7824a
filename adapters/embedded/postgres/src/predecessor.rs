//! The server before this one, on the same data: one whose starter was killed needs a moment to
//! stop, and one that was killed itself leaves a file behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use runtime::StartError;

/// Waits until no server works on the data, and clears away what a killed one left.
///
/// Postgres refuses to start while the process number in its `postmaster.pid` is anybody's, as it
/// is soon enough after a restart of a container. The folder is locked, so whoever that is, it can
/// only be a server if it works in the data folder.
pub(super) async fn outlive(data: &Path, deadline: Instant) -> Result<(), StartError> {
    while is_somebody_in(data) {
        if Instant::now() > deadline {
            return Err(StartError::Setting {
                variable: "ORDERS_DATA_DIR",
                reason: format!(
                    "another Postgres server works on {}; stop it or name another folder",
                    data.display()
                ),
            });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if can_tell() {
        // What cannot be removed the server will complain about.
        let _ = fs::remove_file(data.join("postmaster.pid"));
    }
    Ok(())
}

/// Whether this system tells where its processes work. Elsewhere Postgres is left to judge.
fn can_tell() -> bool {
    fs::read_link("/proc/self/cwd").is_ok()
}

/// Every process of a server works in its data folder. So may somebody's shell.
fn is_somebody_in(data: &Path) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    processes.filter_map(Result::ok).map(|process| process.path()).any(|process| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
    })
}
