use std::env;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Where a Postgres may be installed.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// The folder that `$PG_BIN` names; then no other counts.
    pub(super) given: Option<PathBuf>,
    /// The folders to look in, in this order.
    pub(super) folders: Vec<PathBuf>,
}

impl Search {
    /// `$PG_BIN`; else `PATH`, then the usual folders, the newest version first.
    pub(super) fn of_this_host() -> Self {
        let given = env::var_os("PG_BIN").filter(|given| !given.is_empty()).map(PathBuf::from);
        let given = given.map(|given| std::path::absolute(&given).unwrap_or(given));
        let path = env::var_os("PATH").unwrap_or_default();
        // A relative folder means another one to the account the server runs under.
        let path = env::split_paths(&path).filter(|folder| folder.is_absolute());
        let usual = USUAL_FOLDERS.iter().flat_map(|pattern| expand(pattern));
        Self { given, folders: path.chain(usual).collect() }
    }
}

/// The folders a pattern with at most one star stands for, the highest version first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| {
            let version = name.strip_prefix(prefix)?;
            let number = version.split('.').next()?.parse().ok()?;
            Some((number, Path::new(parent).join(&name).join(after.trim_start_matches('/'))))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::clock;

    #[test]
    fn the_newest_installed_version_comes_first() {
        let parent = env::temp_dir().join(format!("orders-search-{:08x}", clock::random() >> 96));
        for name in ["pg-9.6", "pg-15", "pg-17", "pg-docs", "other-20"] {
            fs::create_dir_all(parent.join(name).join("bin")).unwrap();
        }
        let found = expand(&format!("{}/pg-*/bin", parent.display()));
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(found, ["pg-17", "pg-15", "pg-9.6"].map(|name| parent.join(name).join("bin")));
    }
}
