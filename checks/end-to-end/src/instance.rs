//! One process of one service.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::repository;
use crate::eventually::eventually;

/// How long a program that was asked to stop may take.
const FAREWELL: Duration = Duration::from_secs(20);

/// One process of one service. Dropping it kills it.
pub struct Instance {
    name: String,
    process: Child,
    url: String,
    http: reqwest::Client,
}

impl Instance {
    /// Starts the program and waits until it says that it is ready.
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
            .unwrap_or_else(|error| panic!("{program} is built, and starts: {error}"));
        let mut instance = Self { name, process, url: format!("http://{addr}"), http: http() };
        eventually("a program that has started is ready", async || instance.is_ready().await).await;
        instance
    }

    /// What it is called, in messages and as the name of its log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn is_ready(&mut self) -> bool {
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "{} ended at its start: {ended:?}; see its log", self.name);
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// A JSON document that it shows; `None` if there is none there.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// What a counter of the process has come to.
    pub async fn counts(&self, counter: &str) -> u64 {
        let answer = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let samples = text.lines().filter(|line| line.starts_with(counter));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// The memory that is resident, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Asks it to stop, as an orchestrator does, and waits until it has.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let deadline = Instant::now() + FAREWELL;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{} does not stop", self.name);
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{} ended with {status}", self.name);
    }

    /// Ends it as a power cut would.
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

/// Carries out a command of a program, such as `reconcile` of order-jobs, and waits until it has ended.
pub async fn carry_out(program: &str, command: &[&str]) -> Output {
    let mut process = Command::new(programs().join(program));
    process.args(command);
    let ended = tokio::task::spawn_blocking(move || process.output().unwrap());
    ended.await.unwrap()
}

/// A client for services on this host, whatever proxy the environment names for the rest of the world.
pub fn http() -> reqwest::Client {
    // Another package of the workspace may have given the client TLS; then it wants to know whose.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// Where the programs are.
fn programs() -> PathBuf {
    std::env::var_os("ORDERS_PROGRAMS")
        .map_or_else(|| repository().join("target/release"), PathBuf::from)
}

fn log(name: &str) -> File {
    let folder = repository().join("target/end-to-end");
    std::fs::create_dir_all(&folder).unwrap();
    File::create(folder.join(format!("{name}.log"))).unwrap()
}
