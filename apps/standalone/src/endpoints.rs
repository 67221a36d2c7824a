use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use runtime::StartError;
use serde::{Deserialize, Serialize};

/// Where everything is, for the banner and for a demo that finds a running instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) order_api: String,
    pub(crate) order_jobs: String,
    pub(crate) pharmacy_order: String,
    pub(crate) notification: String,
    pub(crate) schema_registry: String,
    pub(crate) kafka: String,
}

const FILE: &str = "endpoints.json";

impl Endpoints {
    /// Leaves a note for a demo that is started beside this instance.
    pub(crate) fn write(&self, home: &Path) -> Result<(), StartError> {
        let file = home.join(FILE);
        let failed = |error| StartError::other(format!("cannot write {}", file.display()), error);
        let _ = fs::remove_file(&file);
        let mut note =
            File::options().write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        note.write_all(text.as_bytes()).map_err(failed)
    }

    /// The note of an instance that runs, or once ran, on this folder.
    pub(crate) fn read(home: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(home.join(FILE)).ok()?).ok()
    }
}
