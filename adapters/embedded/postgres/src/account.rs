use std::fs::File;
use std::os::unix::fs::fchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use runtime::StartError;

/// The user account of the server process.
///
/// Postgres refuses to run as root, which is the user in a new container. Then the account is
/// `postgres`, or `nobody` if that does not exist.
#[derive(Debug, Clone)]
pub(super) enum Account {
    /// The account of this process.
    Own,
    /// Another account, because this process is root.
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
            .ok_or_else(|| {
                StartError::setting(
                    "DATABASE_URL",
                    "Postgres does not run as root, and neither the account `postgres` nor \
                         `nobody` exists; start as another user, or set it to a running Postgres"
                        .to_owned(),
                )
            })
    }

    /// A description for error messages.
    pub(super) fn description(&self) -> String {
        match self {
            Self::Own => "this user".to_owned(),
            Self::Other { name, .. } => {
                format!("the account `{name}` (Postgres does not run as root)")
            }
        }
    }

    /// A command that runs under the account and does not get signals of this process's terminal.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        // The settings of the environment are for clients of other servers.
        for (variable, _) in std::env::vars_os() {
            if variable.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(variable);
            }
        }
        // Ctrl-C must reach only this process, which then stops the server gracefully.
        command.process_group(0).stdin(Stdio::null()).current_dir("/");
        command
    }

    /// Makes the account the owner of an open file or folder.
    pub(super) fn change_owner(&self, file: &File) -> std::io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => fchown(file, Some(*uid), Some(*gid)),
        }
    }

    /// Whether the account can reach the folder and write to it.
    pub(super) fn can_write(&self, folder: &Path) -> bool {
        let script = "test -w \"$1\" && test -x \"$1\"";
        let status = self.command("sh").args(["-c", script, "sh"]).arg(folder).status();
        status.is_ok_and(|status| status.success())
    }

    /// The output of `--version` of a Postgres program. `None` if the account cannot run it.
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
