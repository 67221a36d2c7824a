use std::env;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::data_folder::DataFolder;
use super::download;
use crate::StartError;

/// Where distributions put Postgres; a star stands for a version.
const USUAL_FOLDERS: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Library/PostgreSQL/*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];

/// The folder of a Postgres server's programs.
#[derive(Debug, Clone)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// Looks in `$PG_BIN`, then `PATH`, then the usual folders, the newest version first, then
    /// among what was downloaded before; downloads if there is nothing.
    pub(super) async fn find_or_download(
        folder: &DataFolder,
        account: &Account,
    ) -> Result<Self, StartError> {
        if let Some(given) = env::var_os("PG_BIN") {
            let given = PathBuf::from(given);
            return Self::in_folder(&given, account).ok_or_else(|| StartError::Setting {
                variable: "PG_BIN",
                reason: format!(
                    "{} holds no postgres and initdb that {} can run",
                    given.display(),
                    account.name()
                ),
            });
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let candidates = env::split_paths(&path)
            .chain(USUAL_FOLDERS.iter().flat_map(|pattern| expand(pattern)))
            .chain(download::downloaded(folder));
        for candidate in candidates {
            if let Some(found) = Self::in_folder(&candidate, account) {
                return Ok(found);
            }
        }
        let downloaded = download::download(folder).await?;
        Self::in_folder(&downloaded, account).ok_or_else(|| StartError::Setting {
            variable: "PG_BIN",
            reason: format!(
                "the Postgres downloaded to {} does not run here; install Postgres, or set PG_BIN \
                 to the folder of its programs",
                downloaded.display()
            ),
        })
    }

    fn in_folder(folder: &Path, account: &Account) -> Option<Self> {
        let programs = ["postgres", "initdb"].map(|name| folder.join(name));
        let there = programs.iter().all(|program| program.is_file() && account.can_run(program));
        there.then(|| Self(folder.to_owned()))
    }

    /// One of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// The folders a pattern with at most one star stands for, the highest version first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| {
            let version = name.strip_prefix(prefix)?.to_owned();
            let number = version.split('.').next()?.parse().ok()?;
            Some((number, PathBuf::from(format!("{parent}/{name}{after}"))))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, folder)| folder).collect()
}
