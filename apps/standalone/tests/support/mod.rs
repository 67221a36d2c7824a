//! A standalone instance as a process of its own, to be used and killed like anybody's.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A folder of its own and five free ports in a row; the folder goes with it.
pub struct Place {
    pub home: PathBuf,
    pub port: u16,
}

impl Place {
    pub fn new(name: &str) -> Self {
        let unique = format!("orders-{name}-{}", std::process::id());
        Self { home: std::env::temp_dir().join(unique), port: five_free_ports() }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_standalone"));
        for variable in ["DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL"] {
            command.env_remove(variable);
        }
        command
            .env("ORDERS_DATA_DIR", &self.home)
            .env("ORDERS_PORT", self.port.to_string())
            .stdin(Stdio::null());
        command
    }

    pub fn url(&self, service: u16, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port + service)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The server may still be writing its last words.
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.home.join("postgres/postmaster.pid").exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// A running instance. Dropping it kills it.
pub struct Instance {
    pub process: Child,
}

impl Instance {
    /// Starts an instance and waits for its banner.
    pub fn start(place: &Place) -> Self {
        let mut process =
            place.command().stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdout = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let ready = stdout.lines().map_while(Result::ok).any(|line| line.contains("is ready"));
        assert!(ready, "the instance ended before it was ready");
        Self { process }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn five_free_ports() -> u16 {
    let spread = u16::try_from(std::process::id() % 1000).expect("it is below 1000") * 5;
    (20_000 + spread..60_000)
        .step_by(5)
        .find(|&port| (0..5).all(|i| TcpListener::bind(("127.0.0.1", port + i)).is_ok()))
        .expect("there are five free ports")
}

pub async fn place_order(client: &reqwest::Client, place: &Place, name: &str) -> Option<String> {
    let wish = json!({"customerName": name, "items": [{"productId": 1, "quantity": 2}]});
    let answer = client.post(place.url(0, "/api/orders")).json(&wish).send().await.ok()?;
    if answer.status() != 201 {
        return None;
    }
    let body: Value = answer.json().await.ok()?;
    body["orderId"].as_str().map(ToOwned::to_owned)
}

pub async fn get(client: &reqwest::Client, url: String) -> Option<Value> {
    let answer = client.get(url).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json().await.ok()
}

/// Asks again until the answer is as wanted.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
