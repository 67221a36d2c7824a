//! A previous server on the same data.
//!
//! If its parent process was killed, it needs a moment to stop. If it was killed itself, it leaves
//! a stale `postmaster.pid`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use runtime::StartError;

/// Waits until no server uses the data, and removes a stale `postmaster.pid`.
///
/// Postgres refuses to start if any process has the id in `postmaster.pid`. After a restart of a
/// container, an unrelated process often has it. A Postgres server always has its data folder as
/// the working directory, so a process is a previous server only if that is the case.
pub(super) async fn wait_until_stopped(data: &Path, deadline: Instant) -> Result<(), StartError> {
    while is_server_running(data) {
        if Instant::now() > deadline {
            return Err(StartError::setting(
                "ORDERS_DATA_DIR",
                format!(
                    "another Postgres server uses {}; stop it or name another folder",
                    data.display()
                ),
            ));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if has_proc() {
        // If the file cannot be removed, the server reports it.
        let _ = fs::remove_file(data.join("postmaster.pid"));
    }
    Ok(())
}

/// Whether `/proc` shows the working directories of processes. Without it, Postgres checks its
/// `postmaster.pid` itself.
fn has_proc() -> bool {
    fs::read_link("/proc/self/cwd").is_ok()
}

/// Whether a process named `postgres` has the data folder as its working directory. The name is
/// checked because a shell can have the same working directory.
fn is_server_running(data: &Path) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    processes.filter_map(Result::ok).map(|process| process.path()).any(|process| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
    })
}
