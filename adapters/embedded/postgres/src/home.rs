use std::env;
use std::path::PathBuf;

use super::account;

/// Where the embedded world keeps its data unless told otherwise: `/var/lib/orders` for root,
/// whose own home no other account may enter, else `orders` in the user's data folder
/// (XDG base directory specification).
#[must_use]
pub fn default_home() -> PathBuf {
    folder("/var/lib", "XDG_DATA_HOME", ".local/share")
}

/// Where what was downloaded is kept for all that need it, in the same way: `/var/cache/orders`
/// for root, else `orders` in the user's cache folder.
pub(super) fn cache() -> PathBuf {
    folder("/var/cache", "XDG_CACHE_HOME", ".cache")
}

fn folder(of_root: &str, variable: &str, below_home: &str) -> PathBuf {
    if account::is_root() {
        return PathBuf::from(of_root).join("orders");
    }
    let given = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = given.or_else(|| env::home_dir().map(|home| home.join(below_home)));
    folder.unwrap_or_else(env::temp_dir).join("orders")
}
