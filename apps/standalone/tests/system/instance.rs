use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Time for an instance to become ready.
const READY_TIMEOUT: Duration = Duration::from_mins(2);

/// A running instance. Dropping it kills it.
pub(crate) struct Instance {
    process: Child,
    stderr: Arc<Mutex<Vec<String>>>,
    stderr_reader: Option<thread::JoinHandle<()>>,
}

impl Instance {
    /// Starts an instance and waits for its banner.
    pub(crate) fn start(command: &mut Command) -> Self {
        let (instance, ready) = Self::spawn(command);
        let banner = ready.recv_timeout(READY_TIMEOUT);
        assert!(banner.is_ok(), "not ready: {:#?}", instance.stderr());
        instance
    }

    /// Starts an instance. The receiver gets a message when the banner is printed.
    pub(crate) fn spawn(command: &mut Command) -> (Self, Receiver<()>) {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let (banner, ready) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if line.contains("is ready") {
                    let _ = banner.send(());
                }
            }
        });
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let written = stderr.clone();
        let stderr_reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        (Self { process, stderr, stderr_reader: Some(stderr_reader) }, ready)
    }

    /// The lines on standard error so far.
    pub(crate) fn stderr(&self) -> Vec<String> {
        self.stderr.lock().unwrap().clone()
    }

    /// Sends it a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has exited. Returns its exit code and the lines on standard error.
    pub(crate) fn wait_for_exit(mut self, timeout: Duration) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + timeout;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not exit: {:#?}", self.stderr());
            thread::sleep(Duration::from_millis(20));
        };
        self.stderr_reader.take().unwrap().join().unwrap();
        (status.code(), self.stderr())
    }

    /// Stops it with `SIGTERM`. It must exit in time and without an error. Returns the lines on
    /// standard error.
    pub(crate) fn stop(self) -> Vec<String> {
        self.signal("TERM");
        let (code, stderr) = self.wait_for_exit(Duration::from_secs(20));
        assert_eq!(code, Some(0), "{stderr:#?}");
        stderr
    }

    /// Whether it is still running.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Kills it with `SIGKILL`.
    pub(crate) fn kill(mut self) {
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
