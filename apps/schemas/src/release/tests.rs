use std::fs;
use std::path::{Path, PathBuf};

use adapter_avro::published;
use runtime::{clock, one_line};

use crate::Topics;
use crate::release::{Violation, check_directory};

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}"#;
const V2: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"a","type":"string"},{"name":"b","type":"int","default":0}]}"#;

/// A temporary folder of schemas, deleted on drop.
struct Folder(PathBuf);

impl Folder {
    fn with(files: &[(&str, &str)], released: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("schemas-{:032x}", clock::random()));
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let lines: Vec<String> =
            released.iter().map(|(path, text)| format!("{}  {path}\n", sha256(text))).collect();
        fs::write(folder.join("released.txt"), lines.concat()).unwrap();
        Self(folder)
    }

    fn violations(&self) -> Vec<String> {
        let violations = check_directory(&self.0).unwrap_err();
        violations.iter().map(|violation: &Violation| one_line(violation)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sha256(text: &str) -> String {
    super::sha256(text)
}

#[test]
fn the_schemas_of_this_repository_are_unchanged_and_compiled_in() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let report = check_directory(&schemas).unwrap_or_else(|violations| {
        panic!("{}", violations.iter().map(|v| one_line(v)).collect::<Vec<_>>().join("\n"))
    });
    let on_disk: usize = report.events.iter().map(|event| event.versions.len()).sum();
    assert_eq!(on_disk, published().count());
    let released = fs::read_to_string(schemas.join("released.txt")).unwrap();
    for schema in published() {
        assert!(
            released.contains(&sha256(schema.json)),
            "{} v{} is compiled in but was not released",
            schema.fullname,
            schema.version
        );
    }
}

#[test]
fn a_compatible_version_that_is_not_released_yet_is_reported_with_its_line() {
    let folder = Folder::with(&[("e/v1.avsc", V1), ("e/v2.avsc", V2)], &[("e/v1.avsc", V1)]);
    let report = check_directory(&folder.0).unwrap();
    assert_eq!(report.events.len(), 1);
    assert_eq!(report.events[0].versions, [V1, V2]);
    assert_eq!(
        report.events[0].subject(Topics { ordering: "topic", pharmacy: "other" }),
        "topic-R"
    );
    let line = format!("{}  e/v2.avsc", sha256(V2));
    assert_eq!(report.events[0].unreleased.as_deref(), Some(line.as_str()));
}

#[test]
fn an_edit_of_a_released_schema_is_found_even_if_it_is_a_space() {
    let edited = V1.replace(',', ", ");
    let folder = Folder::with(&[("e/v1.avsc", &edited)], &[("e/v1.avsc", V1)]);
    let violations = folder.violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].starts_with("e/v1.avsc was edited"), "{violations:?}");
}

#[test]
fn a_removed_released_schema_is_found() {
    let folder = Folder::with(&[("f/v1.avsc", V1)], &[("f/v1.avsc", V1), ("e/v1.avsc", V1)]);
    assert_eq!(
        folder.violations(),
        [
            "e/v1.avsc was removed after it was released; restore it, because old events can only be \
             read with it"
        ]
    );
}

#[test]
fn an_incompatible_version_is_found_with_both_versions_and_the_field() {
    let bad = V2.replace(r#","default":0"#, "");
    let folder = Folder::with(&[("e/v1.avsc", V1), ("e/v2.avsc", &bad)], &[("e/v1.avsc", V1)]);
    let violations = folder.violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(
        violations[0].starts_with("e: v2 is not compatible with v1: field b: was added"),
        "{violations:?}"
    );
}

#[test]
fn a_gap_an_unlisted_version_and_an_unexpected_file_are_all_reported() {
    let files = [("e/v1.avsc", V1), ("e/v3.avsc", V2), ("e/notes.md", "")];
    let violations = Folder::with(&files, &[]).violations();
    for expected in
        ["unexpected: e/notes.md; ", "e/v1.avsc is not in released.txt", "e/v2.avsc is missing"]
    {
        assert!(violations.iter().any(|v| v.starts_with(expected)), "{expected}: {violations:?}");
    }
    assert_eq!(violations.len(), 3, "{violations:?}");
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error() {
    assert!(!check_directory(Path::new("/nowhere/at/all")).unwrap_err().is_empty());
}
