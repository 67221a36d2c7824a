use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::account::Account;
use super::binaries::Binaries;
use super::{PostgresSettings, ROLE};
use crate::{StartError, clock};

/// The folder that holds the server's data, log and password, locked against a second instance.
#[derive(Debug)]
pub(super) struct DataFolder {
    home: PathBuf,
    keep: bool,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, creating it when missing, and locks it.
    pub(super) fn open(settings: &PostgresSettings, account: &Account) -> Result<Self, StartError> {
        let home = std::path::absolute(&settings.home).unwrap_or_else(|_| settings.home.clone());
        let unusable = |reason: String| StartError::Setting { variable: "ORDERS_DATA_DIR", reason };
        let cannot = |error: io::Error| {
            unusable(format!("cannot write to {} ({error}); name another folder", home.display()))
        };
        if !home.is_dir() {
            fs::create_dir_all(&home).map_err(cannot)?;
            account.own(&home).map_err(cannot)?;
        }
        if !account.can_write(&home) {
            return Err(unusable(format!(
                "{} cannot be written by {}, who runs Postgres; name another folder",
                home.display(),
                account.name()
            )));
        }
        let lock = File::create(home.join("lock")).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(unusable(format!(
                    "another instance uses {}; stop it or name another folder",
                    home.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        Ok(Self { home, keep: settings.keep, _lock: lock })
    }

    /// The server's own data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// Where a Postgres that was downloaded lies.
    pub(super) fn downloads(&self) -> PathBuf {
        self.home.join("postgres-download")
    }

    /// The folder itself.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the data are of value.
    pub(super) const fn keep(&self) -> bool {
        self.keep
    }

    /// The password of the role that owns everything.
    pub(super) fn password(&self) -> Result<String, StartError> {
        let file = self.home.join("password");
        fs::read_to_string(&file)
            .map(|password| password.trim().to_owned())
            .map_err(|error| StartError::other(format!("cannot read {}", file.display()), error))
    }

    /// Makes the data folder, the first time. It appears whole or not at all.
    pub(super) fn initialise(
        &self,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<(), StartError> {
        let data = self.data();
        if data.is_dir() {
            return Ok(());
        }
        let failed =
            |error: io::Error| StartError::other("cannot make the Postgres data folder", error);
        let fresh = self.home.join("postgres.new");
        let _ = fs::remove_dir_all(&fresh);
        let password = self.home.join("password");
        write_secret(&password, account).map_err(failed)?;
        let mut initdb = account.command(binaries.program("initdb"));
        initdb.arg("-D").arg(&fresh).args(["-U", ROLE, "--encoding=UTF8", "--no-locale"]);
        initdb.args(["--auth=scram-sha-256"]).arg("--pwfile").arg(&password);
        if !self.keep {
            initdb.arg("--no-sync");
        }
        let output = initdb.stdout(Stdio::null()).output().map_err(failed)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("").to_owned();
            return Err(StartError::other("cannot make the Postgres data folder", said));
        }
        fs::rename(&fresh, &data).map_err(failed)
    }
}

fn write_secret(file: &Path, account: &Account) -> io::Result<()> {
    let _ = fs::remove_file(file);
    let mut options = File::options();
    let mut secret = options.write(true).create_new(true).mode(0o600).open(file)?;
    io::Write::write_all(&mut secret, format!("{:032x}\n", clock::random()).as_bytes())?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    account.own(file)
}
