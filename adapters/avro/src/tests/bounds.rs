//! Malicious schemas and data take little time, memory and stack.

use std::time::{Duration, Instant};

use apache_avro::Schema;
use application::one_line;

use crate::catalogue::parsed;
use crate::compatibility::{Level, check};
use crate::{DecodeError, SchemaError, ordering, parse, parse_writer};

use super::decode;

/// Half the stack of a tokio worker.
const STACK: usize = 1024 * 1024;

/// Runs a test on a small stack and asserts that it ends soon.
fn bounded<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let started = Instant::now();
    let result = std::thread::Builder::new().stack_size(STACK).spawn(test).unwrap().join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    result
}

/// A schema named `orders.OrderCreated` with only these fields.
fn named(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"orders.OrderCreated","fields":[{fields}]}}"#)
}

fn why(schema: &str, datum: &[u8]) -> String {
    one_line(&decode(&parse_writer(schema).unwrap(), datum).unwrap_err())
}

#[test]
fn a_recursive_schema_is_followed_to_a_limited_depth() {
    let list = named(r#"{"name":"next","type":["null","orders.OrderCreated"]}"#);
    let datum = [vec![2; 1_000], vec![0]].concat();
    let message = bounded(move || why(&list, &datum));
    assert!(message.contains("nested more than 24 deep"), "{message}");
}

#[test]
fn a_schema_that_contains_only_itself_is_followed_to_a_limited_depth() {
    let circle = named(r#"{"name":"next","type":"orders.OrderCreated"}"#);
    let message = bounded(move || why(&circle, b""));
    assert!(message.contains("nested more than 24 deep"), "{message}");
}

/// Ten records. Each has ten fields of the previous record's type, and their data has no bytes.
fn multiplying(default: &str) -> String {
    let mut fields =
        vec![r#"{"name":"r0","type":{"type":"record","name":"R0","fields":[]}}"#.to_owned()];
    for level in 1..10 {
        let below = level - 1;
        let uses: Vec<String> =
            (0..10).map(|n| format!(r#"{{"name":"f{n}","type":"R{below}"{default}}}"#)).collect();
        fields.push(format!(
            r#"{{"name":"r{level}","type":{{"type":"record","name":"R{level}","fields":[{}]}}}}"#,
            uses.join(",")
        ));
    }
    named(&fields.join(","))
}

#[test]
fn types_that_grow_exponentially_are_refused() {
    let message = bounded(|| why(&multiplying(""), b""));
    assert!(message.contains("would need more than"), "{message}");
}

#[test]
fn defaults_that_grow_exponentially_are_refused() {
    let text = multiplying(r#","default":{}"#);
    let refusal = bounded(move || (parse(&text).unwrap_err(), parse_writer(&text).is_ok()));
    assert!(matches!(refusal, (SchemaError::TooLarge, true)), "{refusal:?}");
}

/// Records that each have one field, of the previous record's type. `define` places a definition in
/// a field with this number.
fn chain(levels: usize, define: impl Fn(usize, String) -> String) -> Vec<String> {
    let inner = |level: usize| match level.checked_sub(1) {
        Some(below) => format!(r#"{{"name":"a","type":"R{below}"}}"#),
        None => String::new(),
    };
    let record =
        |level| format!(r#"{{"type":"record","name":"R{level}","fields":[{}]}}"#, inner(level));
    (0..levels).map(|level| define(level, record(level))).collect()
}

#[test]
fn defaults_of_a_long_chain_of_types_are_followed_to_a_limited_depth() {
    let mut fields =
        chain(100, |level, record| format!(r#"{{"name":"r{level}","type":{record}}}"#));
    let text = named(&fields.join(","));
    bounded(move || parse(&text).unwrap());
    fields.push(r#"{"name":"last","type":"int","default":0}"#.to_owned());
    let text = named(&fields.join(","));
    let refusal = bounded(move || parse(&text).unwrap_err());
    assert!(matches!(refusal, SchemaError::TooDeep), "{refusal:?}");
}

#[test]
fn a_recursive_default_is_refused() {
    for first in [
        r#"{"name":"x","type":{"type":"record","name":"R","fields":[]}}"#,
        r#"{"name":"x","type":{"type":"record","name":"S","aliases":["R"],"fields":[]}}"#,
    ] {
        let again = r#"{"name":"y","type":{"type":"record","name":"R","fields":[
            {"name":"next","type":"R","default":{}}]}}"#;
        let uses = r#"{"name":"z","type":"R","default":{}}"#;
        let text = named(&[first, again, uses].join(","));
        let refusal = bounded(move || parse(&text).map(drop).unwrap_err());
        assert!(matches!(refusal, SchemaError::NotAvro(_)), "{refusal:?}");
    }
}

#[test]
fn a_few_bytes_that_declare_billions_of_items_are_refused() {
    // 2^40 items in one block, 2^20 in each of 2^20 blocks, and as many with a size in bytes.
    let claims = [
        vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0x00],
        [0x80, 0x80, 0x80, 0x01].repeat(1 << 18),
        [0xff, 0xff, 0xff, 0xff, 0x7f, 0x00].repeat(3),
    ];
    for items in [
        r#""null""#,
        r#"{"type":"record","name":"Empty","fields":[]}"#,
        r#"{"type":"fixed","name":"Nothing","size":0}"#,
        r#"{"type":"array","items":"null"}"#,
    ] {
        let list = named(&format!(r#"{{"name":"a","type":{{"type":"array","items":{items}}}}}"#));
        for claim in claims.clone() {
            let list = list.clone();
            let message = bounded(move || why(&list, &claim));
            assert!(
                message.starts_with("the bytes are not a valid orders.OrderCreated: "),
                "{message}"
            );
        }
    }
}

#[test]
fn lengths_and_sizes_larger_than_the_data_are_refused_before_allocating_memory() {
    for number in [u64::MAX, 1 << 40] {
        for kind in [
            format!(r#"{{"type":"fixed","name":"F","size":{number}}}"#),
            format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{number}}}"#),
        ] {
            // For a default of the wrong type, the library prints the schema.
            let schema = named(&format!(r#"{{"name":"a","type":{kind},"default":{{}}}}"#));
            assert!(matches!(parse(&schema), Err(SchemaError::NumberTooGreat)));
            assert!(matches!(parse_writer(&schema), Err(SchemaError::NumberTooGreat)));
        }
    }
    for (kind, datum) in [
        (r#"{"type":"fixed","name":"F","size":1073741824}"#, &b"abc"[..]),
        (r#""bytes""#, b"\x80\x80\x80\x80\x80\x40"),
        (r#""string""#, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        (r#"{"type":"map","values":"null"}"#, b"\x80\x80\x80\x80\x80\x40"),
    ] {
        let schema = named(&format!(r#"{{"name":"a","type":{kind}}}"#));
        let message = bounded(move || why(&schema, datum));
        assert!(
            message.starts_with("the bytes are not a valid orders.OrderCreated: "),
            "{message}"
        );
    }
}

#[test]
fn field_names_count_for_the_memory_of_each_item() {
    let name = "n".repeat(100_000);
    let item =
        format!(r#"{{"type":"record","name":"I","fields":[{{"name":"{name}","type":"int"}}]}}"#);
    let list = named(&format!(r#"{{"name":"a","type":{{"type":"array","items":{item}}}}}"#));
    let datum = [vec![0x80, 0x80, 0x04], vec![0; 32_769]].concat();
    let message = bounded(move || why(&list, &datum));
    assert!(message.contains("would need more than"), "{message}");
}

/// A type that is nested `times` times.
fn nested(times: usize, wrap: impl Fn(usize, String) -> String) -> String {
    (0..times).fold(r#""int""#.to_owned(), |inner, level| wrap(level, inner))
}

fn wraps() -> [fn(usize, String) -> String; 4] {
    [
        |_, inner| format!(r#"{{"type":"array","items":{inner}}}"#),
        |_, inner| format!(r#"{{"type":"map","values":{inner}}}"#),
        |_, inner| format!(r#"{{"type":{inner}}}"#),
        |level, inner| {
            format!(
                r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":{inner}}}]}}"#
            )
        },
    ]
}

#[test]
fn a_schema_that_is_nested_too_deeply_is_refused_without_a_crash() {
    for wrap in wraps() {
        for levels in [30, 40, 200, 4_000] {
            let deep = nested(levels, wrap);
            let refusal =
                bounded(move || [parse(&deep), parse_writer(&deep)].map(Result::unwrap_err));
            for refusal in refusal {
                let deep = matches!(refusal, SchemaError::TooDeep);
                let json = matches!(refusal, SchemaError::NotJson(_)) && levels > 30;
                assert!(deep || json, "{levels}: {refusal}");
            }
        }
    }
    let long = " ".repeat(300_000);
    assert!(matches!(parse(&long), Err(SchemaError::TooLong(300_000))));
}

#[test]
fn the_deepest_allowed_schema_is_decoded_and_compared_on_a_small_stack() {
    for (wrap, datum) in wraps().into_iter().zip([vec![2; 40], vec![2; 90], vec![2], vec![2]]) {
        let deepest = nested(22, wrap);
        let event = named(&format!(r#"{{"name":"deep","type":{deepest}}}"#));
        bounded(move || {
            let schema = parse(&event).unwrap();
            assert!(matches!(
                decode(&schema, &datum),
                Err(DecodeError::Bytes { .. } | DecodeError::Datum { .. })
            ));
            check(&event, &event, Level::FullTransitive).unwrap();
        });
    }
}

#[test]
fn the_time_to_compare_does_not_grow_exponentially_with_the_levels() {
    // Each level is used twice in the next one, and the innermost type is incompatible.
    let tower = |leaf: &str| {
        let mut fields = vec![format!(
            r#"{{"name":"r0","type":{{"type":"record","name":"R0","fields":[{{"name":"a","type":"{leaf}"}}]}}}}"#
        )];
        for level in 1..25 {
            let one = level - 1;
            fields.push(format!(
                r#"{{"name":"r{level}","type":{{"type":"record","name":"R{level}","fields":[
                    {{"name":"a","type":["null","R{one}"]}},{{"name":"b","type":["null","R{one}"]}}]}}}}"#
            ));
        }
        fields.reverse();
        let (top, definitions) = (fields[0].clone(), fields[1..].iter().rev().cloned());
        format!(
            r#"{{"type":"record","name":"T","fields":[{},{top}]}}"#,
            definitions.collect::<Vec<_>>().join(",")
        )
    };
    let (older, newer) = (tower("int"), tower("string"));
    let message = bounded(move || {
        check(&older, &older, Level::FullTransitive).unwrap();
        one_line(&check(&older, &newer, Level::FullTransitive).unwrap_err())
    });
    assert!(message.contains("int was changed to string"), "{message}");
}

#[test]
fn a_long_chain_of_types_is_compared_to_a_limited_depth() {
    const LEVELS: usize = 1_500;
    // The newer schema defines the types in branches that the older one never writes, so all of
    // them are compared for the first time in the last field.
    let top = format!(r#"{{"name":"top","type":"R{}"}}"#, LEVELS - 1);
    let with_top = |fields: Vec<String>| named(&format!("{},{top}", fields.join(",")));
    let older = with_top(chain(LEVELS, |level, record| {
        format!(r#"{{"name":"n{level}","type":"null"}},{{"name":"o{level}","type":{record}}}"#)
    }));
    let newer = with_top(chain(LEVELS, |level, record| {
        format!(r#"{{"name":"n{level}","type":["null",{record}]}}"#)
    }));
    let message = bounded(move || one_line(&check(&older, &newer, Level::Backward).unwrap_err()));
    assert!(message.contains("nested more than 128 deep"), "{message}");
}

#[test]
fn nested_optional_types_are_compared_quickly() {
    // Inline, so that every level is another type.
    let tower = |leaf: &str| {
        (0..9).fold(format!(r#""{leaf}""#), |inner, level| {
            format!(
                r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":["null",{inner}]}}]}}"#
            )
        })
    };
    let (older, newer) = (tower("int"), tower("string"));
    let message = bounded(move || one_line(&check(&older, &newer, Level::Backward).unwrap_err()));
    assert!(message.contains("field a.a.a.a.a.a.a.a.a: the branch int was removed"), "{message}");
}

#[test]
fn a_writers_schema_without_defaults_and_documentation_has_the_same_canonical_form() {
    for published in ordering() {
        let writer = parse_writer(published.json).unwrap();
        let ours: Schema = parse(published.json).unwrap();
        assert_eq!(writer.canonical_form(), ours.canonical_form());
        assert_eq!(ours.canonical_form(), parsed(published).unwrap().canonical_form());
    }
}
