//! Contexts do not know each other's tables, so that each can have a database of its own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// A context, and whose tables its SQL must not name.
const SQL: &[(&str, &[&str])] = &[
    ("adapters/ordering/src", &["notification", "pharmacy"]),
    ("adapters/pharmacy/src", &["notification", "ordering"]),
    ("adapters/notification/src", &["ordering", "pharmacy"]),
    ("adapters/outbox/src", &["notification", "ordering", "pharmacy"]),
    ("adapters/postgres/src", &["notification", "ordering", "pharmacy"]),
    ("migrations/ordering", &["notification", "pharmacy"]),
    ("migrations/pharmacy", &["notification", "ordering"]),
    ("migrations/notification", &["ordering", "pharmacy"]),
    ("migrations/outbox", &["notification", "ordering", "pharmacy"]),
];

#[test]
fn the_sql_of_a_context_names_no_table_of_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (folder, others) in SQL {
        let files = files(&root.join(folder));
        assert!(!files.is_empty(), "{folder} has no files");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines().filter(|line| !is_comment(line)) {
                let named = others.iter().find(|other| names_table(line, other));
                assert_eq!(named, None, "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn a_table_of_another_context_is_found() {
    for line in ["SELECT FROM pharmacy.orders", "\"UPDATE pharmacy.dead_letters\"", "(pharmacy.x)"]
    {
        assert!(names_table(line, "pharmacy"), "{line}");
    }
    for line in ["SELECT FROM orders", "notpharmacy.orders", "the pharmacy. It", "pharmacy::x"] {
        assert!(!names_table(line, "pharmacy"), "{line}");
    }
}

/// All files below a folder, without tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| path.file_stem().is_some_and(|name| name != "tests"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("--")
}

/// Whether the line has `schema.name`.
fn names_table(line: &str, schema: &str) -> bool {
    line.match_indices(schema).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let mut after = line[at + schema.len()..].chars();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(before) && after.next() == Some('.') && is_word(after.next())
    })
}
