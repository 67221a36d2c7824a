//! What was released stays: the check that guards the folder of schemas.
//!
//! `schemas/<event>/v<N>.avsc` holds the versions of each event, `schemas/released.txt` the SHA-256
//! of every one that was released, in the format of `sha256sum`.

mod folder;
mod logical_types;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use apache_avro::Schema;
use sha2::{Digest, Sha256};

pub use violation::Violation;

use adapter_avro::compatibility::{self, Level};
use folder::Folder;

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

/// Checks that no released schema was edited or removed, and that every version of an event is
/// fully compatible with all before it.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub fn check_directory(path: &Path) -> Result<Report, Vec<Violation>> {
    let mut violations = Vec::new();
    let Folder { files, mut released } = Folder::read(path, &mut violations);
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

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
