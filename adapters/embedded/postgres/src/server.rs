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

/// Timeout of the start, including crash recovery and the stop of a previous server.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How often to check whether the server is still running.
const LIFE_CHECK: Duration = Duration::from_millis(500);

/// The log line of Postgres if another program has taken the port in the meantime.
const PORT_TAKEN: &str = "could not create any TCP/IP sockets";

/// Shell script that starts the server, and a watcher that stops it when this process ends.
///
/// The watcher reads from a pipe whose other end this process holds. When this process ends for any
/// reason, the pipe closes, and the watcher sends SIGINT to the server. `$1` is the log file, `$2`
/// a folder to remove afterwards, or empty.
const START_SCRIPT: &str = r#"
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

/// The process of the server. Dropping it makes the server stop.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    port: u16,
    log: PathBuf,
    deadline: Instant,
}

/// State of a server that does not accept connections yet.
pub(super) enum Starting {
    /// It is still starting.
    InProgress,
    /// Another program has taken the port. Start again on another port.
    PortTaken,
}

impl Server {
    /// Starts the server on a free port. It may not accept connections yet.
    pub(super) async fn start(
        folder: &DataFolder,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<Self, StartError> {
        let deadline = Instant::now() + START_TIMEOUT;
        predecessor::wait_until_stopped(&folder.data(), deadline).await?;
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
        command.args(["-c", START_SCRIPT, "orders-postgres"]).arg(folder.log()).arg(remove);
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

    /// The port of the server.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Waits a moment. Fails if the server has exited or the start takes too long.
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
                fatal.unwrap_or("the log is empty").to_owned(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(Starting::InProgress)
    }

    /// Waits until the server ends by itself.
    pub(super) async fn ended(&mut self) -> StartError {
        let status = loop {
            match self.process.try_wait() {
                Ok(None) => tokio::time::sleep(LIFE_CHECK).await,
                Ok(Some(status)) => break status.to_string(),
                Err(error) => break error.to_string(),
            }
        };
        let what = format!("the embedded Postgres has ended; see {}", self.log.display());
        StartError::other(what, format!("{status}; start again, the data are kept"))
    }

    /// Stops the server and waits until it has exited.
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
        // No Unix socket: its path has a length limit and would need a writable folder.
        "unix_socket_directories=",
        "shared_buffers=64MB",
        "log_min_messages=warning",
        // Without error details, which contain rows and so personal data.
        "log_error_verbosity=terse",
        "log_line_prefix=%m [%p] ",
        "timezone=UTC",
    ];
    let depending: &[&str] = if keep {
        &["max_connections=100"]
    } else {
        // The data need not survive a power failure. Tests run in parallel, each with its own pool.
        &["max_connections=500", "fsync=off", "full_page_writes=off"]
    };
    always.into_iter().chain(depending.iter().copied())
}
