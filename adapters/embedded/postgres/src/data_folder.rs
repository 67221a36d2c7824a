use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use runtime::{StartError, clock};

use super::account::Account;
use super::binaries::Binaries;
use super::settings::{PostgresSettings, ROLE};

/// The folder with the server's data, log and password, locked against a second instance.
///
/// It belongs to the account of the server, which can differ from the account of this process. So
/// this process creates files in it, but does not change existing ones.
#[derive(Debug)]
pub(super) struct DataFolder {
    home: PathBuf,
    keep: bool,
    _lock: File,
}

impl DataFolder {
    /// Opens and locks the folder. Creates it if it does not exist.
    pub(super) fn open(settings: &PostgresSettings, account: &Account) -> Result<Self, StartError> {
        let home = std::path::absolute(&settings.home).unwrap_or_else(|_| settings.home.clone());
        let unusable = |reason: String| StartError::setting("ORDERS_DATA_DIR", reason);
        let cannot = |error: io::Error| {
            unusable(format!("cannot write to {} ({error}); name another folder", home.display()))
        };
        let is_new = !home.exists();
        fs::create_dir_all(&home).map_err(cannot)?;
        if is_empty(&home).map_err(cannot)? {
            File::open(&home).and_then(|folder| account.change_owner(&folder)).map_err(cannot)?;
        }
        if !account.can_write(&home) {
            if is_new {
                // Removes the unusable folder that was just created.
                let _ = fs::remove_dir(&home);
            }
            return Err(unusable(format!(
                "{} cannot be accessed and written by {}; name another folder",
                home.display(),
                account.description()
            )));
        }
        let mut options = File::options();
        let lock = options.write(true).create(true).truncate(false).open(home.join("lock"));
        let lock = lock.map_err(cannot)?;
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

    /// The data directory of Postgres.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    /// The log file of the server.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// The folder itself.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the data must survive a restart.
    pub(super) const fn keep(&self) -> bool {
        self.keep
    }

    fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    /// The major version of Postgres that created the data. `None` if there is no data yet.
    pub(super) fn created_by(&self) -> Result<Option<u32>, StartError> {
        let data = self.data();
        if !data.exists() {
            return Ok(None);
        }
        let version = fs::read_to_string(data.join("PG_VERSION")).unwrap_or_default();
        let major = version.trim().parse().map_err(|_| {
            StartError::setting(
                "ORDERS_DATA_DIR",
                format!(
                    "{} is not the data of a Postgres server; remove it or name another folder",
                    data.display()
                ),
            )
        })?;
        Ok(Some(major))
    }

    /// The password of the role `orders`.
    pub(super) fn password(&self) -> Result<String, StartError> {
        let file = self.password_file();
        let read = fs::read_to_string(&file).map(|password| password.trim().to_owned());
        read.map_err(|error| {
            let what = format!("cannot read the server's password from {}", file.display());
            StartError::other(what, error)
        })
    }

    /// Creates the data directory if it does not exist. It is renamed into place when it is
    /// complete.
    pub(super) fn initialise(
        &self,
        binaries: &Binaries,
        account: &Account,
    ) -> Result<(), StartError> {
        let data = self.data();
        if data.exists() {
            return Ok(());
        }
        let failed =
            |error: io::Error| StartError::other("cannot create the Postgres data folder", error);
        let incomplete = self.home.join("postgres.new");
        let _ = fs::remove_dir_all(&incomplete);
        let password = self.password_file();
        write_secret(&password, account).map_err(failed)?;
        let mut initdb = account.command(binaries.program("initdb"));
        // Sort order and messages do not depend on the locale of the host.
        initdb.arg("-D").arg(&incomplete).args(["-U", ROLE, "--encoding=UTF8", "--no-locale"]);
        initdb.args(["--auth=scram-sha-256"]).arg("--pwfile").arg(&password);
        if !self.keep {
            initdb.arg("--no-sync");
        }
        let output = initdb.stdout(Stdio::null()).output().map_err(failed)?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr);
            let error = output.lines().find(|line| line.contains("error:"));
            let error = error.or(output.lines().last()).unwrap_or("initdb printed no error");
            return Err(StartError::other(
                "cannot create the Postgres data folder",
                error.to_owned(),
            ));
        }
        fs::rename(&incomplete, &data).map_err(failed)
    }
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

fn write_secret(path: &Path, account: &Account) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, format!("{:032x}\n", clock::random()).as_bytes())?;
    account.change_owner(&file)
}
