use std::path::{Path, PathBuf};

use runtime::StartError;

use super::account::Account;
use super::data_folder::DataFolder;
use super::download::Downloads;
use super::search::Search;

/// The oldest major version that new data are made with.
const OLDEST: u32 = 15;

/// The major version that is downloaded for new data.
const NEWEST: u32 = 17;

/// A Postgres server's programs.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds a Postgres that fits the data, or downloads one.
    pub(super) async fn find_or_download(
        search: &Search,
        downloads: &Downloads,
        folder: &DataFolder,
        account: &Account,
    ) -> Result<Self, StartError> {
        let made_by = folder.made_by()?;
        if let Some(given) = &search.given {
            return Self::given(given, made_by, folder, account);
        }
        let wanted = made_by.unwrap_or(NEWEST);
        let found = search
            .folders
            .iter()
            .cloned()
            .chain(downloads.of(wanted))
            .filter_map(|candidate| Self::in_folder(&candidate, account))
            .find(|binaries| binaries.fits(made_by));
        if let Some(found) = found {
            return Ok(found);
        }
        if made_by.is_some() {
            let home = folder.home().display();
            tracing::info!("the data in {home} need Postgres {wanted}, which is not installed");
        }
        let downloaded = downloads.download(wanted).await?;
        Self::in_folder(&downloaded, account).ok_or_else(|| StartError::Setting {
            variable: "PG_BIN",
            reason: format!(
                "the Postgres downloaded to {} does not run here; install Postgres {wanted}, or \
                 set PG_BIN to the folder of its programs",
                downloaded.display()
            ),
        })
    }

    fn given(
        given: &Path,
        made_by: Option<u32>,
        folder: &DataFolder,
        account: &Account,
    ) -> Result<Self, StartError> {
        let wrong = |reason| StartError::Setting { variable: "PG_BIN", reason };
        let found = Self::in_folder(given, account).ok_or_else(|| {
            let who = account.who();
            wrong(format!("{} holds no postgres and initdb that {who} can run", given.display()))
        })?;
        match made_by {
            Some(data) if !found.fits(made_by) => Err(wrong(format!(
                "{} holds Postgres {}, and the data in {} are of Postgres {data}; set it to a \
                 Postgres {data} or name another data folder",
                given.display(),
                found.major,
                folder.home().display(),
            ))),
            None if !found.fits(None) => Err(wrong(format!(
                "{} holds Postgres {}; {OLDEST} or later is needed",
                given.display(),
                found.major
            ))),
            _ => Ok(found),
        }
    }

    /// Data can be read by the major version that made them, and by no other.
    fn fits(&self, made_by: Option<u32>) -> bool {
        made_by.map_or(self.major >= OLDEST, |major| self.major == major)
    }

    fn in_folder(folder: &Path, account: &Account) -> Option<Self> {
        if !["postgres", "initdb"].iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let version = account.version_of(&folder.join("postgres"))?;
        Some(Self { folder: folder.to_owned(), major: major(&version)? })
    }

    /// One of the programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The major version in what `postgres --version` says: `postgres (PostgreSQL) 15.18 (Debian …)`,
/// `postgres (PostgreSQL) 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split(')').nth(1)?.trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_however_it_is_told() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 17.5\n"), Some(17));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("postgres"), None);
    }
}
