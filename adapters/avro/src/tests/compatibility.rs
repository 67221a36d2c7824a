use application::one_line;

use crate::catalogue::parsed;
use crate::compatibility::{Level, check, check_history};
use crate::published;

/// A record with these fields.
fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","namespace":"t","fields":[{fields}]}}"#)
}

const A: &str = r#"{"name":"a","type":"string"}"#;
const B: &str = r#"{"name":"b","type":"int"}"#;
const B_DEFAULT: &str = r#"{"name":"b","type":"int","default":0}"#;

fn why(older: &str, newer: &str, level: Level) -> String {
    one_line(&check(older, newer, level).unwrap_err())
}

#[test]
fn all_versions_of_every_event_are_compatible_with_each_other() {
    for newer in published() {
        for older in published().filter(|s| s.fullname == newer.fullname) {
            if older.version <= newer.version {
                check(older.json, newer.json, Level::FullTransitive).unwrap();
            }
        }
    }
}

#[test]
fn every_schema_has_the_name_in_the_catalogue() {
    for schema in published() {
        let parsed = parsed(schema).unwrap();
        assert_eq!(parsed.name().unwrap().to_string(), schema.fullname);
        assert!(schema.fullname.ends_with(schema.event_type));
        assert_eq!(schema.subject("topic"), format!("topic-{}", schema.fullname));
    }
}

#[test]
fn a_field_with_a_default_can_be_added_and_removed() {
    let (without, with) = (record(A), record(&format!("{A},{B_DEFAULT}")));
    check(&without, &with, Level::Full).unwrap();
    check(&with, &without, Level::Full).unwrap();
}

#[test]
fn a_field_added_without_a_default_is_reported() {
    let (older, newer) = (record(A), record(&format!("{A},{B}")));
    let why = why(&older, &newer, Level::Full);
    assert!(why.starts_with("field b: was added"), "{why}");
    check(&older, &newer, Level::Forward).unwrap();
}

#[test]
fn a_removed_field_without_a_default_is_reported() {
    let (older, newer) = (record(&format!("{A},{B}")), record(A));
    let why = why(&older, &newer, Level::Full);
    assert!(why.starts_with("field b: was removed"), "{why}");
    check(&older, &newer, Level::Backward).unwrap();
}

#[test]
fn a_renamed_field_is_reported() {
    let renamed = A.replace(r#""a""#, r#""c""#);
    let why = why(&record(A), &record(&renamed), Level::Full);
    assert!(why.starts_with("field c: was added (or renamed)"), "{why}");
}

#[test]
fn a_field_of_another_type_is_reported_with_both_types() {
    let (older, newer) = (record(B), record(&B.replace("int", "string")));
    let why = why(&older, &newer, Level::Full);
    assert!(why.starts_with("field b: int was changed to string"), "{why}");
}

#[test]
fn a_widened_type_is_compatible_in_one_direction_only() {
    let (int, long) = (record(B), record(&B.replace("int", "long")));
    check(&int, &long, Level::Backward).unwrap();
    let why = why(&int, &long, Level::Full);
    assert!(why.starts_with("field b: int was changed to long"), "{why}");
    assert!(why.contains("older schema cannot read"), "{why}");
}

#[test]
fn a_schema_that_can_read_only_some_data_is_incompatible() {
    let optional = A.replace(r#""string""#, r#"["null","string"]"#);
    check(&record(A), &record(&optional), Level::Backward).unwrap();
    let why = why(&record(A), &record(&optional), Level::Full);
    assert!(why.starts_with("field a: string was changed to union of null, string"), "{why}");
}

#[test]
fn a_removed_or_added_symbol_is_reported_with_its_field() {
    let symbols = |list: &str| {
        record(&format!(
            r#"{{"name":"kind","type":{{"type":"enum","name":"K","symbols":[{list}]}}}}"#
        ))
    };
    let (two, one) = (symbols(r#""X","Y""#), symbols(r#""X""#));
    let removed = why(&two, &one, Level::Full);
    assert!(removed.starts_with("field kind: the symbol Y was removed"), "{removed}");
    let added = why(&one, &two, Level::Full);
    assert!(added.starts_with("field kind: the symbol Y was added"), "{added}");
}

#[test]
fn a_nested_field_is_reported_with_its_path() {
    let deep = |field: &str| {
        record(&format!(
            r#"{{"name":"items","type":{{"type":"array","items":
                {{"type":"record","name":"I","fields":[{field}]}}}}}}"#
        ))
    };
    let why = why(&deep(B), &deep(&B.replace("int", "boolean")), Level::Full);
    assert!(why.starts_with("field items[].b: int was changed to boolean"), "{why}");
}

#[test]
fn recursive_records_are_compared() {
    let tree = |leaf: &str| {
        record(&format!(r#"{leaf},{{"name":"next","type":["null","R"],"default":null}}"#))
    };
    check(&tree(A), &tree(&format!("{A},{B_DEFAULT}")), Level::FullTransitive).unwrap();
    let why = why(&tree(A), &tree(&format!("{A},{B}")), Level::FullTransitive);
    assert!(why.starts_with("field b: was added"), "{why}");
}

#[test]
fn a_named_type_is_compared_where_it_is_used_and_not_only_where_it_is_defined() {
    // The older schema refers to the type. The newer one defines it there, because the field with
    // the first definition was removed.
    let item = |field: &str| format!(r#"{{"type":"record","name":"I","fields":[{field}]}}"#);
    let first = format!(
        r#"{{"name":"x","type":["null",{}],"default":null}},{{"name":"y","type":"I"}}"#,
        item(B)
    );
    let second = |field| record(&format!(r#"{{"name":"y","type":{}}}"#, item(field)));
    check(&record(&first), &second(B), Level::FullTransitive).unwrap();
    let why = why(&record(&first), &second(A), Level::FullTransitive);
    assert!(why.starts_with("field y.a: was added"), "{why}");
}

#[test]
fn a_record_with_another_name_is_incompatible() {
    let why = why(&record(A), &record(A).replace(r#""R""#, r#""S""#), Level::Full);
    assert!(why.starts_with("the schema itself: record t.R was changed to record t.S"), "{why}");
}

#[test]
fn a_text_that_is_not_a_schema_is_refused() {
    assert!(
        why("{", &record(A), Level::Full)
            .starts_with("the older schema cannot be used: it is not JSON")
    );
    assert!(
        why(&record(A), "{", Level::Full)
            .starts_with("the newer schema cannot be used: it is not JSON")
    );
}

#[test]
fn only_transitive_levels_check_all_earlier_versions() {
    // A field with a default was removed and is added with another type: only the oldest version is
    // incompatible.
    let (first, second) = (record(&format!("{A},{B_DEFAULT}")), record(A));
    let third = record(&format!(r#"{A},{{"name":"b","type":"string","default":""}}"#));
    let history = [first.as_str(), second.as_str()];
    for level in [Level::None, Level::Backward, Level::Forward, Level::Full] {
        check_history(&history, &third, level).unwrap();
    }
    for level in [Level::BackwardTransitive, Level::ForwardTransitive, Level::FullTransitive] {
        let (index, why) = check_history(&history, &third, level).unwrap_err();
        assert_eq!(index, 0);
        assert!(why.to_string().starts_with("field b: int was changed to string"), "{why}");
    }
    check_history(&[], &third, Level::FullTransitive).unwrap();
}
