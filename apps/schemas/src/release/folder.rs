use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::Violation;

/// A folder of schemas, as it lies on the disk.
pub(super) struct Folder {
    /// The texts by event and version.
    pub(super) files: Files,
    /// The hashes that `released.txt` tells, by path.
    pub(super) released: BTreeMap<String, String>,
}

type Files = BTreeMap<String, BTreeMap<u32, String>>;

impl Folder {
    /// Reads what can be read; the rest is added to what is wrong.
    pub(super) fn read(root: &Path, violations: &mut Vec<Violation>) -> Self {
        Self { files: read_files(root, violations), released: read_released(root, violations) }
    }
}

fn read_files(root: &Path, violations: &mut Vec<Violation>) -> Files {
    let mut files = Files::new();
    for (event, is_dir) in names(root, violations) {
        if !is_dir {
            continue;
        }
        let folder = root.join(&event);
        let versions = files.entry(event.clone()).or_default();
        for (name, _) in names(&folder, violations) {
            let path = format!("{event}/{name}");
            let Some(version) = version_of(&name) else {
                violations.push(Violation::Stray(path));
                continue;
            };
            match fs::read_to_string(folder.join(&name)) {
                Ok(text) => drop(versions.insert(version, text)),
                Err(source) => violations.push(Violation::Unreadable { path, source }),
            }
        }
    }
    files
}

fn names(folder: &Path, violations: &mut Vec<Violation>) -> Vec<(String, bool)> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Ok((name, entry.file_type()?.is_dir()))
            })
            .collect::<io::Result<Vec<_>>>()
    });
    entries.unwrap_or_else(|source| {
        let path = folder.display().to_string();
        violations.push(Violation::Unreadable { path, source });
        Vec::new()
    })
}

/// The version in `v<N>.avsc`, from 1 on.
fn version_of(name: &str) -> Option<u32> {
    let number = name.strip_prefix('v')?.strip_suffix(".avsc")?;
    number.parse().ok().filter(|version| *version >= 1 && format!("{version}") == number)
}

fn is_version(path: &str) -> bool {
    path.split_once('/').is_some_and(|(_, name)| version_of(name).is_some())
}

fn read_released(root: &Path, violations: &mut Vec<Violation>) -> BTreeMap<String, String> {
    let file = root.join("released.txt");
    let text = fs::read_to_string(&file).unwrap_or_else(|source| {
        let path = file.display().to_string();
        violations.push(Violation::Unreadable { path, source });
        String::new()
    });
    let mut released = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.split_once("  ") {
            Some((hash, path)) if hash.len() == 64 && is_version(path) => {
                released.insert(path.to_owned(), hash.to_owned());
            }
            _ => violations.push(Violation::Stray(line.to_owned())),
        }
    }
    released
}
