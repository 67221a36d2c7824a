//! A process of a service.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::repository;
use crate::eventually::eventually;

/// Time for a program to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A process of a service. Dropping it kills the process.
pub struct Instance {
    name: String,
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Instance {
    /// Starts the program and waits until it is ready.
    pub async fn start(program: &str) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{program}-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(programs().join(program))
            .env("HTTP_ADDR", addr.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(&name))
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let mut instance = Self { name, process, url: format!("http://{addr}"), http: http() };
        eventually("the program is ready", async || instance.is_ready().await).await;
        instance
    }

    /// The name of the process, for messages and its log file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the process.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn is_ready(&mut self) -> bool {
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "{} exited during the start: {ended:?}; see its log", self.name);
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The JSON document at this path. `None` if there is none.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// The value of a counter of the process.
    pub async fn counter(&self, counter: &str) -> u64 {
        let answer = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let samples = text.lines().filter(|line| line.starts_with(counter));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// The memory in KiB that Linux shows under this name in the status of the process.
    pub fn memory_kib(&self, name: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Stops the process with `SIGTERM` and waits until it has exited.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let deadline = Instant::now() + STOP_TIMEOUT;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{} does not stop", self.name);
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{} exited with {status}", self.name);
    }

    /// Kills the process with `SIGKILL`.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command of a program, such as `reconcile` of order-jobs, and waits until it has exited.
pub async fn run_command(program: &str, command: &[&str]) -> Output {
    let mut process = Command::new(programs().join(program));
    process.args(command);
    let ended = tokio::task::spawn_blocking(move || process.output().unwrap());
    ended.await.unwrap()
}

/// An HTTP client for services on this host. It ignores the proxy settings of the environment.
pub fn http() -> reqwest::Client {
    // If another package enables TLS for reqwest, it needs a default provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// The folder of the programs.
pub fn programs() -> PathBuf {
    std::env::var_os("ORDERS_PROGRAMS")
        .map_or_else(|| repository().join("target/release"), PathBuf::from)
}

fn log(name: &str) -> File {
    let folder = repository().join("target/end-to-end");
    std::fs::create_dir_all(&folder).unwrap();
    File::create(folder.join(format!("{name}.log"))).unwrap()
}
