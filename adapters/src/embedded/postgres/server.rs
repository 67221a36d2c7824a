use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::Binaries;
use super::data_folder::DataFolder;
use crate::StartError;

/// How long a server may take to answer, recovery after a crash and a predecessor that is still
/// stopping included.
const PATIENCE: Duration = Duration::from_mins(1);

/// Becomes the server, after leaving a watcher behind that holds the other end of a pipe to the
/// process that started it. When that process ends, however it ends, the pipe closes and the
/// watcher tells the server to stop. `$1` is a folder to remove afterwards, or empty.
const LIFELINE: &str = r#"
remove=$1; shift
server=$$
exec 3<&0
( {
    read -r _ <&3
    kill -INT "$server" 2>/dev/null
    if [ -n "$remove" ]; then
        while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
        rm -rf "$remove"
    fi
} </dev/null >/dev/null 2>&1 & )
exec "$@" </dev/null 3<&-
"#;

/// The server's process. Dropping it tells the server to stop.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    port: u16,
    log: std::path::PathBuf,
    deadline: Instant,
}

impl Server {
    /// Starts the server on a free port; it may not answer yet.
    pub(super) async fn start(
        folder: &DataFolder,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<Self, StartError> {
        let failed = |error: io::Error| StartError::other("cannot start Postgres", error);
        let deadline = Instant::now() + PATIENCE;
        wait_for_predecessor(folder, deadline).await;
        let port = free_port().map_err(failed)?;
        let log = File::create(folder.log()).map_err(failed)?;
        let remove = if folder.keep() { "".as_ref() } else { folder.home().as_os_str() };
        let mut command = account.command("sh");
        command.args(["-c", LIFELINE, "orders-postgres"]).arg(remove);
        command.arg(binaries.program("postgres")).arg("-D").arg(folder.data());
        command.args(["-p", &port.to_string()]);
        for setting in settings(folder.keep()) {
            command.args(["-c", setting]);
        }
        let errors = log.try_clone().map_err(failed)?;
        command.stdin(Stdio::piped()).stdout(log).stderr(errors);
        let process = command.spawn().map_err(failed)?;
        Ok(Self { process, port, log: folder.log(), deadline })
    }

    /// The port it listens on.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Waits a moment; fails when the server has ended or takes too long.
    pub(super) async fn check_starting(&mut self) -> Result<(), StartError> {
        let ended = self.process.try_wait().is_ok_and(|status| status.is_some());
        if ended || Instant::now() > self.deadline {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let fatal = log.lines().rfind(|l| l.contains("FATAL")).or(log.lines().last());
            return Err(StartError::other(
                format!("Postgres does not start; see {}", self.log.display()),
                fatal.unwrap_or("it says nothing").to_owned(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(())
    }

    /// Tells the server to stop and waits until it has.
    pub(super) async fn stop(mut self) {
        drop(self.process.stdin.take());
        let _ = tokio::task::spawn_blocking(move || self.process.wait()).await;
    }
}

/// A server whose parent was killed needs a moment to stop; it removes this file when it has.
async fn wait_for_predecessor(folder: &DataFolder, deadline: Instant) {
    let file = folder.data().join("postmaster.pid");
    while Instant::now() < deadline {
        let Ok(content) = std::fs::read_to_string(&file) else { return };
        let port = content.lines().nth(3).and_then(|line| line.trim().parse::<u16>().ok());
        let answers =
            port.is_some_and(|port| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let pid = content.lines().next().unwrap_or_default().trim().to_owned();
        let alive = std::process::Command::new("kill")
            .args(["-0", &pid])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        // A file left by a crash names a process that is gone, or by now another program's.
        if !answers && !alive {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn settings(keep: bool) -> impl Iterator<Item = &'static str> {
    let always = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=100",
        "shared_buffers=64MB",
        "log_min_messages=warning",
        "log_line_prefix=%m [%p] ",
        "timezone=UTC",
    ];
    // Worthless data need not survive a power cut.
    let careless = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    always.into_iter().chain(careless.into_iter().filter(move |_| !keep))
}
