use std::env;
use std::path::PathBuf;

use super::postgres;

/// Where the embedded world keeps its data unless told otherwise: `/var/lib/orders` for root,
/// whose own home no other account may enter, else `orders` in the user's data folder
/// (XDG base directory specification).
#[must_use]
pub fn default_home() -> PathBuf {
    if postgres::needs_another_account() {
        return PathBuf::from("/var/lib/orders");
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| env::home_dir().map(|home| home.join(".local/share")));
    data.unwrap_or_else(env::temp_dir).join("orders")
}
