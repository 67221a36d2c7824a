use std::fs::File;
use std::os::unix::fs::fchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use runtime::StartError;

/// The account the server runs under. Postgres refuses to run as root, so root, which a fresh
/// container is, gives way to `postgres` or else `nobody`.
#[derive(Debug, Clone)]
pub(super) enum Account {
    /// This process's own account.
    Own,
    /// Another one, because this process is root.
    Other { name: &'static str, uid: u32, gid: u32 },
}

impl Account {
    /// The account for a server that this process starts.
    pub(super) fn for_server() -> Result<Self, StartError> {
        if !is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                let (uid, gid) = (id(&["-u", name])?, id(&["-g", name])?);
                (uid != 0).then_some(Self::Other { name, uid, gid })
            })
            .ok_or_else(|| StartError::Setting {
                variable: "DATABASE_URL",
                reason: "Postgres does not run as root and there is no account `postgres` or \
                         `nobody` to run it; start as another user or name a running Postgres"
                    .to_owned(),
            })
    }

    /// Who that is, for messages.
    pub(super) fn who(&self) -> String {
        match self {
            Self::Own => "this user".to_owned(),
            Self::Other { name, .. } => {
                format!("the account `{name}`, which runs Postgres because root must not,")
            }
        }
    }

    /// A command that runs under the account, hearing nothing from this process's terminal.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        // A Ctrl-C in the terminal is for this process, which then stops the server in order.
        command.process_group(0).stdin(Stdio::null()).current_dir("/");
        command
    }

    /// Gives an open file or folder to the account.
    pub(super) fn own(&self, file: &File) -> std::io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => fchown(file, Some(*uid), Some(*gid)),
        }
    }

    /// Whether the account can write into the folder, and so reach it.
    pub(super) fn can_write(&self, folder: &Path) -> bool {
        let script = "test -w \"$1\" && test -x \"$1\"";
        let status = self.command("sh").args(["-c", script, "sh"]).arg(folder).status();
        status.is_ok_and(|status| status.success())
    }

    /// What a program of Postgres says its version is, if the account can run it.
    pub(super) fn version_of(&self, program: &Path) -> Option<String> {
        let output = self.command(program).arg("--version").stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Whether this process is root.
pub(super) fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
