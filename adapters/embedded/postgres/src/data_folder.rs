use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use runtime::{StartError, clock};

use super::account::Account;
use super::binaries::Binaries;
use super::{PostgresSettings, ROLE};

/// The folder that holds the server's data, log and password, locked against a second instance.
///
/// It belongs to the account that runs the server, which may be another than this process's. So
/// nothing in it is written here but what is newly made.
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
        let is_new = !home.exists();
        fs::create_dir_all(&home).map_err(cannot)?;
        if is_empty(&home).map_err(cannot)? {
            File::open(&home).and_then(|folder| account.own(&folder)).map_err(cannot)?;
        }
        if !account.can_write(&home) {
            if is_new {
                // Not made for anybody, then.
                let _ = fs::remove_dir(&home);
            }
            return Err(unusable(format!(
                "{} cannot be reached and written by {}; name another folder",
                home.display(),
                account.who().trim_end_matches(',')
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

    /// The server's own data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// The folder itself.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the data are of value.
    pub(super) const fn keep(&self) -> bool {
        self.keep
    }

    fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    /// The major version of Postgres that made the data, if there are any.
    pub(super) fn made_by(&self) -> Result<Option<u32>, StartError> {
        let data = self.data();
        if !data.exists() {
            return Ok(None);
        }
        let version = fs::read_to_string(data.join("PG_VERSION")).unwrap_or_default();
        let major = version.trim().parse().map_err(|_| StartError::Setting {
            variable: "ORDERS_DATA_DIR",
            reason: format!(
                "{} holds no data of a Postgres server; remove it or name another folder",
                data.display()
            ),
        })?;
        Ok(Some(major))
    }

    /// The password of the role that owns everything.
    pub(super) fn password(&self) -> Result<String, StartError> {
        let file = self.password_file();
        let read = fs::read_to_string(&file).map(|password| password.trim().to_owned());
        read.map_err(|error| {
            let what = format!("cannot read the server's password from {}", file.display());
            StartError::other(what, error)
        })
    }

    /// Makes the data, the first time. They appear whole or not at all.
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
            |error: io::Error| StartError::other("cannot make the Postgres data folder", error);
        let fresh = self.home.join("postgres.new");
        let _ = fs::remove_dir_all(&fresh);
        let password = self.password_file();
        write_secret(&password, account).map_err(failed)?;
        let mut initdb = account.command(binaries.program("initdb"));
        // Sorting and messages are the same on every host, whatever its language.
        initdb.arg("-D").arg(&fresh).args(["-U", ROLE, "--encoding=UTF8", "--no-locale"]);
        initdb.args(["--auth=scram-sha-256"]).arg("--pwfile").arg(&password);
        if !self.keep {
            initdb.arg("--no-sync");
        }
        let output = initdb.stdout(Stdio::null()).output().map_err(failed)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let error = said.lines().find(|line| line.contains("error:"));
            let error = error.or(said.lines().last()).unwrap_or("initdb says nothing").to_owned();
            return Err(StartError::other("cannot make the Postgres data folder", error));
        }
        fs::rename(&fresh, &data).map_err(failed)
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
    account.own(&file)
}
