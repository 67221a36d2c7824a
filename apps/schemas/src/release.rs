//! Check of the folder of schemas: released schemas must not change.
//!
//! `schemas/<event>/v<N>.avsc` are the versions of each event. `schemas/released.txt` contains the
//! SHA-256 of each released version, in the format of `sha256sum`.

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

use crate::Topics;
use adapter_avro::compatibility::{self, Level};
use folder::Folder;

/// The content of a valid folder of schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The events, sorted by the names of their folders.
    pub events: Vec<EventReport>,
}

/// The versions of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReport {
    /// The name of the folder, such as `order-created`.
    pub event: String,
    /// The full name of the record, such as `orders.OrderCreated`.
    pub fullname: String,
    /// The schemas as JSON, from version 1.
    pub versions: Vec<String>,
    /// The line to add to `released.txt` when the newest version is released. `None` if it is
    /// released.
    pub unreleased: Option<String>,
}

impl EventReport {
    /// The subject in the registry (topic-record-name strategy).
    #[must_use]
    pub fn subject(&self, topics: Topics<'_>) -> String {
        format!("{}-{}", topics.of(&self.fullname), self.fullname)
    }
}

/// Checks that no released schema was edited or removed, and that every version of an event is
/// fully compatible with all earlier versions.
///
/// # Errors
/// All violations.
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
                // A missing version that was released is reported below.
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
    violations.extend(released.into_keys().map(|path| Violation::Removed { path }));
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
        Ok(_) => Err(Violation::NotARecord { path }),
        Err(source) => Err(Violation::NotAvro { path, source: Box::new(source) }),
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
