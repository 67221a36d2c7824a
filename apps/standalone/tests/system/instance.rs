use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long an instance may take to be ready.
const START: Duration = Duration::from_mins(2);

/// A running instance. Dropping it kills it.
pub(crate) struct Instance {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
    errors: Option<thread::JoinHandle<()>>,
}

impl Instance {
    /// Starts an instance and waits for its banner.
    pub(crate) fn start(command: &mut Command) -> Self {
        let (instance, ready) = Self::begin(command);
        let told = ready.recv_timeout(START);
        assert!(told.is_ok(), "not ready: {:#?}", instance.said());
        instance
    }

    /// Starts an instance; the receiver hears when its banner is out.
    pub(crate) fn begin(command: &mut Command) -> (Self, Receiver<()>) {
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
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let noted = said.clone();
        let errors = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                noted.lock().unwrap().push(line);
            }
        });
        (Self { process, said, errors: Some(errors) }, ready)
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Sends it a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended; answers its exit code, and what it said on standard error.
    pub(crate) fn ends_within(mut self, patience: Duration) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {:#?}", self.said());
            thread::sleep(Duration::from_millis(20));
        };
        self.errors.take().unwrap().join().unwrap();
        (status.code(), self.said())
    }

    /// Tells it to stop, which it must do in time and without an error; what it said on standard error.
    pub(crate) fn ends_well(self) -> Vec<String> {
        self.signal("TERM");
        let (code, said) = self.ends_within(Duration::from_secs(20));
        assert_eq!(code, Some(0), "{said:#?}");
        said
    }

    /// Whether it is still running.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Ends it as a power cut would.
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
