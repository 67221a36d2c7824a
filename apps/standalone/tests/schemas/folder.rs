use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A temporary copy of this repository's schemas, deleted on drop.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    /// The lines on standard output.
    pub(crate) out: Vec<String>,
    /// The lines on standard error.
    pub(crate) err: Vec<String>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("orders-schemas-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas"), &path);
        Self { path }
    }

    /// Writes a file in the folder.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let file = self.path.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Releases the unreleased version: adds the line that `check` prints to `released.txt`.
    pub(crate) fn release(&self) {
        let lines = self.check().out;
        let line = lines.iter().skip_while(|line| !line.contains("not released")).nth(1).unwrap();
        let file = self.path.join("released.txt");
        let released = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{released}{}\n", line.trim())).unwrap();
    }

    pub(crate) fn check(&self) -> Run {
        run(&mut self.command("check"))
    }

    /// A command about this folder, without a registry in the environment.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_standalone"));
        for variable in ["SCHEMA_REGISTRY_URL", "KAFKA_TOPIC", "RUST_LOG"] {
            program.env_remove(variable);
        }
        program.args(["schemas", command, "--folder"]).arg(&self.path).stdin(Stdio::null());
        program
    }
}

pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let lines = |bytes| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    Run { code: output.status.code(), out: lines(output.stdout), err: lines(output.stderr) }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
