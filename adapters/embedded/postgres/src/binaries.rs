use std::path::{Path, PathBuf};

use runtime::StartError;

use super::account::Account;
use super::download::Downloads;
use super::search::Search;

/// Minimum major version for a new data folder.
const MIN_MAJOR: u32 = 15;

/// The major version that is downloaded for a new data folder.
const DOWNLOADED_MAJOR: u32 = 17;

/// The programs of a Postgres server.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds a Postgres with the version of the existing data in `home`, or downloads one.
    ///
    /// `created_by` is the major version that created the data. `None` if there is no data yet.
    pub(super) async fn find_or_download(
        search: &Search,
        downloads: &Downloads,
        home: &Path,
        created_by: Option<u32>,
        account: &Account,
    ) -> Result<Self, StartError> {
        if let Some(given) = &search.given {
            return Self::given(given, home, created_by, account);
        }
        let wanted = created_by.unwrap_or(DOWNLOADED_MAJOR);
        let found = search
            .folders
            .iter()
            .cloned()
            .chain(downloads.find(wanted))
            .filter_map(|candidate| Self::in_folder(&candidate, account))
            .find(|binaries| binaries.supports(created_by));
        if let Some(found) = found {
            return Ok(found);
        }
        if created_by.is_some() {
            let home = home.display();
            tracing::info!("the data in {home} needs Postgres {wanted}, which is not installed");
        }
        let downloaded = downloads.download(wanted).await?;
        Self::in_folder(&downloaded, account).ok_or_else(|| {
            StartError::setting(
                "PG_BIN",
                format!(
                    "the downloaded Postgres in {} does not run on this system; install Postgres \
                 {wanted}, or set PG_BIN to the folder of its programs",
                    downloaded.display()
                ),
            )
        })
    }

    fn given(
        given: &Path,
        home: &Path,
        created_by: Option<u32>,
        account: &Account,
    ) -> Result<Self, StartError> {
        let wrong = |reason| StartError::setting("PG_BIN", reason);
        let found = Self::in_folder(given, account).ok_or_else(|| {
            let who = account.description();
            wrong(format!("{} has no postgres and initdb that {who} can run", given.display()))
        })?;
        match created_by {
            Some(data) if !found.supports(created_by) => Err(wrong(format!(
                "{} has Postgres {}, but the data in {} was created by Postgres {data}; set it to \
                 a Postgres {data}, or name another data folder",
                given.display(),
                found.major,
                home.display(),
            ))),
            None if !found.supports(None) => Err(wrong(format!(
                "{} has Postgres {}; {MIN_MAJOR} or later is needed",
                given.display(),
                found.major
            ))),
            _ => Ok(found),
        }
    }

    /// Whether this version can use the data. Only the major version that created it can.
    fn supports(&self, created_by: Option<u32>) -> bool {
        created_by.map_or(self.major >= MIN_MAJOR, |major| self.major == major)
    }

    fn in_folder(folder: &Path, account: &Account) -> Option<Self> {
        if !["postgres", "initdb"].iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let version = account.version_of(&folder.join("postgres"))?;
        Some(Self { folder: folder.to_owned(), major: major(&version)? })
    }

    /// The path of a program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The major version in the output of `postgres --version`, such as
/// `postgres (PostgreSQL) 15.18 (Debian …)` or `postgres (PostgreSQL) 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split(')').nth(1)?.trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_parsed_in_all_formats() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 17.5\n"), Some(17));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres"), None);
    }
}
