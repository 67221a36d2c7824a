use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Ports below the range of ephemeral ports.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A data folder and six consecutive free ports for one test. The folder is deleted on drop.
pub(crate) struct Sandbox {
    pub(crate) home: PathBuf,
    pub(crate) port: u16,
}

impl Sandbox {
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!("orders-{name}-{}", std::process::id());
        Self { home: std::env::temp_dir().join(unique), port: six_free_ports() }
    }

    /// A command that runs the program in this folder and on these ports, with all services
    /// embedded.
    pub(crate) fn command(&self) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_standalone").as_ref())
    }

    pub(crate) fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for variable in [
            "DATABASE_URL",
            "KAFKA_BOOTSTRAP_SERVERS",
            "KAFKA_TOPIC",
            "KAFKA_PHARMACY_TOPIC",
            "SCHEMA_REGISTRY_URL",
            "SMTP_URL",
            "MAIL_FROM",
            "WEBHOOK_SECRETS_KEY_FILE",
            "WEBHOOK_ALLOW_HTTP_LOOPBACK",
        ] {
            command.env_remove(variable);
        }
        command
            .env("ORDERS_DATA_DIR", &self.home)
            .env("ORDERS_PORT", self.port.to_string())
            .env("ORDERS_MAIL_PORT", (self.port + Service::Letters as u16).to_string())
            .env("RUST_BACKTRACE", "1")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null());
        command
    }

    /// Whether a Postgres process has its working directory in this folder.
    pub(crate) fn is_postgres_running(&self) -> bool {
        let data = self.home.join("postgres");
        let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        processes
            .filter_map(|process| fs::read_link(process.path().join("cwd")).ok())
            .any(|cwd| cwd == data)
    }

    /// Waits until no Postgres process is running.
    pub(crate) fn wait_until_postgres_is_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.is_postgres_running() {
            assert!(
                Instant::now() < deadline,
                "Postgres is still running in {}",
                self.home.display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A server whose parent process was killed needs some time to stop.
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.is_postgres_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A service of an instance. The number is the offset of its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    OrderApi = 0,
    OrderJobs = 2,
    Pharmacy = 3,
    Notification = 4,
    /// The web page of the embedded mail server.
    Letters = 5,
}

/// Those that serve `/readyz` and `/metrics`.
pub(crate) const SERVICES: [Service; 4] =
    [Service::OrderApi, Service::OrderJobs, Service::Pharmacy, Service::Notification];

/// Tests of the same process get different ports. Other processes begin at other ports.
fn six_free_ports() -> u16 {
    static ROWS: AtomicU16 = AtomicU16::new(0);
    let rows = (PORTS.end - PORTS.start) / 6;
    let begin = std::process::id() % u32::from(rows) * 7;
    loop {
        let row = begin + u32::from(ROWS.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(row % u32::from(rows)).unwrap() * 6;
        if (0..6).all(|step| TcpListener::bind(("127.0.0.1", port + step)).is_ok()) {
            return port;
        }
    }
}
