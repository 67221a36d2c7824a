use std::env;
use std::path::PathBuf;

use super::account;

/// The role of all connections, a superuser.
pub(super) const ROLE: &str = "orders";

/// Settings of the embedded server.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// The folder for all files of the server. It is created if it does not exist.
    pub home: PathBuf,
    /// Whether to keep the data. If not, the server does not wait for the disk, and the folder is
    /// removed when the server has stopped.
    pub keep: bool,
}

/// Default data folder of the embedded servers.
///
/// For root it is `/var/lib/orders`, because other accounts cannot access root's home. For other
/// users it is `orders` in their data folder (XDG base directory specification).
#[must_use]
pub fn default_home() -> PathBuf {
    folder("/var/lib", "XDG_DATA_HOME", ".local/share")
}

/// Folder for downloads: `/var/cache/orders` for root, else `orders` in the user's cache folder.
pub(super) fn download_folder() -> PathBuf {
    folder("/var/cache", "XDG_CACHE_HOME", ".cache")
}

fn folder(for_root: &str, variable: &str, below_home: &str) -> PathBuf {
    if account::is_root() {
        return PathBuf::from(for_root).join("orders");
    }
    let given = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = given.or_else(|| env::home_dir().map(|home| home.join(below_home)));
    folder.unwrap_or_else(env::temp_dir).join("orders")
}
