//! What was released stays: the check that guards the folder of schemas.
//!
//! `schemas/<event>/v<N>.avsc` holds the versions of each event, `schemas/released.txt` the SHA-256
//! of every one that was released, in the format of `sha256sum`.

mod logical_types;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use apache_avro::Schema;
use sha2::{Digest, Sha256};

use super::compatibility::{self, Incompatible, Level};

/// What a folder of schemas holds, when nothing is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One entry per event, by name of the folder.
    pub events: Vec<EventReport>,
}

/// The versions of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReport {
    /// The name of the folder, such as `order-created`.
    pub event: String,
    /// The full name of its record, such as `orders.OrderCreated`, in every version.
    pub fullname: String,
    /// The texts of its versions, from version 1 on.
    pub versions: Vec<String>,
    /// The line to add to `released.txt` once the newest version is released; `None` if it is.
    pub unreleased: Option<String>,
}

impl EventReport {
    /// The subject it is registered under: topic-record-name strategy.
    #[must_use]
    pub fn subject(&self, topic: &str) -> String {
        format!("{topic}-{}", self.fullname)
    }
}

/// What is wrong with a folder of schemas.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or line that has no business there.
    #[error("{0} is neither v<N>.avsc nor a line of <sha256>  <event>/v<N>.avsc")]
    Stray(String),
    /// A version between others is missing, or the first is.
    #[error("{event}/v{version}.avsc is missing, though a later version is there")]
    Gap {
        /// The folder.
        event: String,
        /// The version.
        version: u32,
    },
    /// A schema was changed after its release.
    #[error("{path} was edited after it was released; restore it and add a new version instead")]
    Edited {
        /// The file.
        path: String,
    },
    /// A schema was removed after its release.
    #[error("{path} was released and is gone; old events can only be read with it")]
    Gone {
        /// The file.
        path: String,
    },
    /// A file is no Avro schema.
    #[error("{path} is no Avro schema")]
    NotAvro {
        /// The file.
        path: String,
        /// What Avro says.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// A schema is none of an event.
    #[error("{path} is no record; an event is a record, and its full name names its subject")]
    NoRecord {
        /// The file.
        path: String,
    },
    /// A schema says something that no reader of Avro hears.
    #[error("{path} has the logical type {name}, which Avro does not know and so would not guard")]
    UnknownLogicalType {
        /// The file.
        path: String,
        /// The logical type.
        name: String,
    },
    /// Only the newest version may be unreleased.
    #[error("{path} is not in released.txt, though a later version is there")]
    Unlisted {
        /// The file.
        path: String,
    },
    /// Two versions do not understand each other.
    #[error("{event}: v{newer} does not go with v{older}")]
    Incompatible {
        /// The folder.
        event: String,
        /// The older version.
        older: u32,
        /// The newer version.
        newer: u32,
        /// The field, and why.
        #[source]
        source: Incompatible,
    },
}

/// Checks that no released schema was edited or removed, and that every version of an event is
/// fully compatible with all before it.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub fn check_directory(path: &Path) -> Result<Report, Vec<Violation>> {
    let mut violations = Vec::new();
    let files = read_files(path, &mut violations);
    let mut released = read_released(path, &mut violations);
    let mut events = Vec::new();
    for (event, versions) in files {
        let newest = versions.keys().max().copied().unwrap_or(0);
        let mut unreleased = None;
        let mut fullname = String::new();
        let mut readable = BTreeMap::<u32, &str>::new();
        for version in 1..=newest {
            let path = format!("{event}/v{version}.avsc");
            let Some(text) = versions.get(&version) else {
                // A version that was released and is gone is told as such below.
                if !released.contains_key(&path) {
                    violations.push(Violation::Gap { event: event.clone(), version });
                }
                continue;
            };
            let hash = sha256(text);
            match released.remove(&path) {
                Some(known) if known == hash => {}
                Some(_) => violations.push(Violation::Edited { path: path.clone() }),
                None if version == newest => unreleased = Some(format!("{hash}  {path}")),
                None => violations.push(Violation::Unlisted { path: path.clone() }),
            }
            match record_name(text, path) {
                Ok(name) => fullname = name,
                Err(violation) => {
                    violations.push(violation);
                    continue;
                }
            }
            for (&older, before) in &readable {
                if let Err(source) = compatibility::check(before, text, Level::FullTransitive) {
                    let (event, newer) = (event.clone(), version);
                    violations.push(Violation::Incompatible { event, older, newer, source });
                }
            }
            readable.insert(version, text);
        }
        if versions.is_empty() {
            continue;
        }
        let versions = versions.into_values().collect();
        events.push(EventReport { event, fullname, versions, unreleased });
    }
    violations.extend(released.into_keys().map(|path| Violation::Gone { path }));
    if violations.is_empty() { Ok(Report { events }) } else { Err(violations) }
}

/// The full name of the record that a schema describes.
fn record_name(text: &str, path: String) -> Result<String, Violation> {
    let json = serde_json::from_str(text).unwrap_or_default();
    if let Some(name) = logical_types::unknown(&json) {
        return Err(Violation::UnknownLogicalType { path, name: name.to_owned() });
    }
    match Schema::parse_str(text) {
        Ok(Schema::Record(record)) => Ok(record.name.to_string()),
        Ok(_) => Err(Violation::NoRecord { path }),
        Err(source) => Err(Violation::NotAvro { path, source: Box::new(source) }),
    }
}

/// The texts by event and version.
type Files = BTreeMap<String, BTreeMap<u32, String>>;

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

/// The hashes by path.
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

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
