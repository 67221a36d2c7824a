use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use runtime::StartError;

use super::account::Account;
use super::binaries::Binaries;
use super::data_folder::DataFolder;
use super::predecessor;

/// How long a server may take to answer, recovery after a crash and a predecessor that is still
/// stopping included.
const PATIENCE: Duration = Duration::from_mins(1);

/// What Postgres logs when somebody took its port since it was found free.
const PORT_TAKEN: &str = "could not create any TCP/IP sockets";

/// Becomes the server, after leaving a watcher behind that holds the other end of a pipe to the
/// process that started it. When that process ends, however it ends, the pipe closes and the
/// watcher tells the server to stop. `$1` is the log, `$2` a folder to remove afterwards, or empty.
const LIFELINE: &str = r#"
log=$1; remove=$2; shift 2
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
exec "$@" </dev/null 3<&- >"$log" 2>&1
"#;

/// The server's process. Dropping it tells the server to stop.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    port: u16,
    log: PathBuf,
    deadline: Instant,
}

/// How a server that is starting is doing.
pub(super) enum Starting {
    /// It may answer soon.
    Still,
    /// Another program was faster to take the port; another port will do.
    PortTaken,
}

impl Server {
    /// Starts the server on a free port; it may not answer yet.
    pub(super) async fn start(
        folder: &DataFolder,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<Self, StartError> {
        let deadline = Instant::now() + PATIENCE;
        predecessor::outlive(&folder.data(), deadline).await?;
        let port =
            free_port().map_err(|error| StartError::other("cannot find a free port", error))?;
        Self::start_on(port, deadline, folder, binaries, account)
    }

    fn start_on(
        port: u16,
        deadline: Instant,
        folder: &DataFolder,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<Self, StartError> {
        let remove = if folder.keep() { OsStr::new("") } else { folder.home().as_os_str() };
        let mut command = account.command("sh");
        command.args(["-c", LIFELINE, "orders-postgres"]).arg(folder.log()).arg(remove);
        command.arg(binaries.program("postgres")).arg("-D").arg(folder.data());
        command.args(["-p", &port.to_string()]);
        for setting in settings(folder.keep()) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let process =
            command.spawn().map_err(|error| StartError::other("cannot start Postgres", error))?;
        Ok(Self { process, port, log: folder.log(), deadline })
    }

    /// The port it listens on.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Waits a moment; fails when the server has ended or takes too long.
    pub(super) async fn check_starting(&mut self) -> Result<Starting, StartError> {
        let ended = self.process.try_wait().is_ok_and(|status| status.is_some());
        if ended || Instant::now() > self.deadline {
            let log = std::fs::read(&self.log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let fatal = log.lines().rfind(|line| line.contains("FATAL")).or(log.lines().last());
            if ended && fatal.is_some_and(|line| line.contains(PORT_TAKEN)) {
                return Ok(Starting::PortTaken);
            }
            return Err(StartError::other(
                format!("Postgres does not start; see {}", self.log.display()),
                fatal.unwrap_or("it says nothing").to_owned(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(Starting::Still)
    }

    /// Tells the server to stop and waits until it has.
    pub(super) async fn stop(mut self) {
        drop(self.process.stdin.take());
        let _ = tokio::task::spawn_blocking(move || self.process.wait()).await;
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn settings(keep: bool) -> impl Iterator<Item = &'static str> {
    let always = [
        "listen_addresses=127.0.0.1",
        // No socket in the file system: its path would have a length limit, and a place to be.
        "unix_socket_directories=",
        "shared_buffers=64MB",
        "log_min_messages=warning",
        // Without the details of errors, which quote rows and so personal data.
        "log_error_verbosity=terse",
        "log_line_prefix=%m [%p] ",
        "timezone=UTC",
    ];
    let depending: &[&str] = if keep {
        &["max_connections=100"]
    } else {
        // Worthless data need not survive a power cut; tests run side by side, with pools each.
        &["max_connections=500", "fsync=off", "full_page_writes=off"]
    };
    always.into_iter().chain(depending.iter().copied())
}
