use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use runtime::StartError;
use serde::{Deserialize, Serialize};

/// The addresses of all services, for the banner and for a demo on a running instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) order_api: String,
    pub(crate) order_jobs: String,
    pub(crate) pharmacy_order: String,
    pub(crate) notification: String,
    pub(crate) schema_registry: String,
    pub(crate) kafka: String,
    /// The web page with the letters, if the mail server is embedded.
    #[serde(default)]
    pub(crate) letters: Option<String>,
    /// Whether webhooks can be created: a key for their secrets is configured.
    #[serde(default)]
    pub(crate) webhooks: bool,
}

const FILE: &str = "endpoints.json";

impl Endpoints {
    /// Writes the addresses to a file, for a demo in another process.
    pub(crate) fn write(&self, home: &Path) -> Result<(), StartError> {
        let file = home.join(FILE);
        let failed = |error| StartError::other(format!("cannot write {}", file.display()), error);
        let _ = fs::remove_file(&file);
        let mut endpoints =
            File::options().write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        endpoints.write_all(text.as_bytes()).map_err(failed)
    }

    /// Reads the file of an instance that uses this folder. The instance may not run any more.
    pub(crate) fn read(home: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(home.join(FILE)).ok()?).ok()
    }
}
