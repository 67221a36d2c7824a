//! Released schemas must not change, and only valid schemas of events can be released.

use std::fs;

use serde_json::json;

use crate::folder::Folder;
use crate::parcel::Parcel;

/// A folder with a released `parcel-sent`.
fn with_parcel() -> Folder {
    let folder = Folder::new();
    folder.write("parcel-sent/v1.avsc", &Parcel::v1().text());
    folder.release();
    folder
}

fn errors(folder: &Folder) -> Vec<String> {
    let run = folder.check();
    assert_eq!(run.code, Some(1), "{run:?}");
    run.err
}

#[test]
fn the_schemas_of_this_repository_pass() {
    let run = Folder::new().check();
    assert_eq!((run.code, run.err.len()), (Some(0), 0), "{run:?}");
    for event in ["order-created: ", "order-cancelled: "] {
        assert!(run.out.iter().any(|line| line.starts_with(event)), "{event}: {run:?}");
    }
}

#[test]
fn a_small_edit_of_a_released_schema_fails() {
    let folder = Folder::new();
    let file = folder.path.join("order-created/v1.avsc");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("An order was placed.", "An order was made.", 1)).unwrap();
    assert_eq!(
        errors(&folder),
        [
            "error: order-created/v1.avsc was edited after it was released; restore it and add a new \
          version instead"
        ]
    );
}

#[test]
fn a_removed_released_schema_fails() {
    let folder = with_parcel();
    fs::remove_file(folder.path.join("parcel-sent/v1.avsc")).unwrap();
    let removed = [
        "error: parcel-sent/v1.avsc was removed after it was released; restore it, because old events \
         can only be read with it",
    ];
    assert_eq!(errors(&folder), removed);
    // A later version does not replace it.
    folder.write("parcel-sent/v2.avsc", &Parcel::v1().text());
    assert_eq!(errors(&folder), removed);
}

#[test]
fn a_gap_between_versions_fails() {
    let folder = with_parcel();
    folder.write("parcel-sent/v3.avsc", &Parcel::v1().text());
    assert_eq!(
        errors(&folder),
        ["error: parcel-sent/v2.avsc is missing, although there is a later version"]
    );
}

#[test]
fn a_default_must_stay_while_a_version_without_the_field_exists() {
    let folder = with_parcel();
    let second = Parcel::edited(|p| {
        p.add(json!({ "name": "colour", "type": "string", "default": "" }));
    });
    folder.write("parcel-sent/v2.avsc", &second.text());
    folder.release();
    let third = Parcel::edited(|p| p.add(json!({ "name": "colour", "type": "string" })));
    folder.write("parcel-sent/v3.avsc", &third.text());
    assert_eq!(
        errors(&folder),
        [
            "error: parcel-sent: v3 is not compatible with v1: field colour: was added (or renamed) without \
          a default, so that the newer schema cannot read data of the older schema"
        ]
    );
}

#[test]
fn an_invalid_schema_fails_also_as_the_first_version() {
    for (text, wrong) in [
        ("{", "is not an Avro schema: "),
        ("", "is not an Avro schema: "),
        (r#"{ "type": "record", "name": "ParcelSent" }"#, "is not an Avro schema: "),
        (
            r#"{ "type": "record", "name": "P", "fields": [{ "name": "a", "type": "decimal" }] }"#,
            "is not an Avro schema: ",
        ),
        (
            r#"{ "type": "record", "name": "P", "fields": [
                { "name": "a", "type": "int", "default": "none" }] }"#,
            "is not an Avro schema: ",
        ),
        (
            r#"{ "type": "record", "name": "P", "fields": [
                { "name": "a", "type": { "type": "long", "logicalType": "timestamp-mircos" } }] }"#,
            "has the logical type timestamp-mircos, which Avro does not know",
        ),
        (r#""string""#, "is not a record; an event must be a record"),
    ] {
        let first = Folder::new();
        first.write("parcel-lost/v1.avsc", text);
        let second = with_parcel();
        second.write("parcel-sent/v2.avsc", text);
        for (folder, file) in [(first, "parcel-lost/v1.avsc"), (second, "parcel-sent/v2.avsc")] {
            let found = errors(&folder);
            let expected = format!("error: {file} {wrong}");
            assert!(found.len() == 1 && found[0].starts_with(&expected), "{text}: {found:?}");
        }
    }
}
