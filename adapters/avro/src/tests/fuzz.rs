//! Arbitrary schemas and arbitrary bytes: whatever comes, reading it ends soon and kills nobody.
//!
//! `PROPTEST_CASES=1000000` makes a long run of it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use application::one_line;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::compatibility::{Level, check};
use crate::{DecodeError, decode, encode, latest, parse, parse_writer};

use super::reading::event;

/// Half of what a worker of tokio has.
const STACK: usize = 1024 * 1024;

/// A type, before it is known which names are defined where it is used.
#[derive(Debug, Clone)]
enum Type {
    Word(&'static str),
    Logical(&'static str, &'static str),
    Fixed(usize, u64),
    Enum(usize, usize),
    /// A record that was defined before, or is being defined, or else a new and empty one.
    Use(usize),
    Array(Box<Type>),
    Map(Box<Type>),
    Wrapped(Box<Type>),
    Union(Vec<Type>),
    Record(usize, Vec<Field>),
}

#[derive(Debug, Clone)]
struct Field {
    name: &'static str,
    kind: Type,
    default: Option<Value>,
}

/// The names of what is defined. The first is our event's.
const NAMES: [&str; 6] = [
    "orders.OrderCreated",
    "orders.OrderItem",
    "R",
    "orders.S",
    "other.T",
    "orders.OrderCancelled",
];

const FIELDS: [&str; 10] = [
    "eventId",
    "occurredAt",
    "orderId",
    "orderVersion",
    "customerName",
    "items",
    "productId",
    "medication",
    "note",
    "a",
];

fn kind() -> impl Strategy<Value = Type> {
    let words = ["null", "boolean", "int", "long", "float", "double", "bytes", "string", "unknown"];
    let logical = [
        ("string", "uuid"),
        ("bytes", "uuid"),
        ("long", "timestamp-micros"),
        ("int", "date"),
        ("bytes", "decimal"),
        ("bytes", "big-decimal"),
        ("long", "local-timestamp-nanos"),
        ("int", "time-millis"),
        ("string", "nonsense"),
    ];
    let sizes = [0, 1, 12, 16, 300, 1 << 20, 1 << 40, u64::MAX];
    let leaf = prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(Type::Word),
        2 => prop::sample::select(logical.to_vec()).prop_map(|(word, is)| Type::Logical(word, is)),
        1 => (0..NAMES.len(), prop::sample::select(sizes.to_vec())).prop_map(|(n, s)| Type::Fixed(n, s)),
        1 => (0..NAMES.len(), 0..4_usize).prop_map(|(n, symbols)| Type::Enum(n, symbols)),
        3 => (0..NAMES.len()).prop_map(Type::Use),
    ];
    leaf.prop_recursive(8, 60, 6, |inner| {
        let field = (prop::sample::select(FIELDS.to_vec()), inner.clone(), default())
            .prop_map(|(name, kind, default)| Field { name, kind, default });
        prop_oneof![
            inner.clone().prop_map(|kind| Type::Array(Box::new(kind))),
            inner.clone().prop_map(|kind| Type::Map(Box::new(kind))),
            inner.clone().prop_map(|kind| Type::Wrapped(Box::new(kind))),
            vec(inner, 0..5).prop_map(Type::Union),
            (0..NAMES.len(), vec(field, 0..6)).prop_map(|(n, fields)| Type::Record(n, fields)),
        ]
    })
}

fn default() -> impl Strategy<Value = Option<Value>> {
    let values =
        [json!(null), json!(0), json!(""), json!({}), json!([]), json!([{}, {}]), json!({"a": {}})];
    prop::option::weighted(0.3, prop::sample::select(values.to_vec()))
}

/// Something that is called as our event is, most of the time with ours as a model.
fn schema() -> impl Strategy<Value = String> {
    let ours = latest("orders.OrderCreated").unwrap();
    let field = (prop::sample::select(FIELDS.to_vec()), kind(), default())
        .prop_map(|(name, kind, default)| Field { name, kind, default });
    let top = vec(field, 0..8).prop_map(|fields| {
        let mut defined = HashSet::new();
        Type::Record(0, fields).render(&mut defined).to_string()
    });
    let changed =
        (kind(), any::<prop::sample::Index>(), default()).prop_map(|(kind, at, default)| {
            let mut json: Value = serde_json::from_str(ours.json).unwrap();
            let fields = json["fields"].as_array_mut().unwrap();
            let at = at.index(fields.len());
            // The names of our schema are taken, except for those behind the changed field.
            let mut defined = HashSet::from([0]);
            fields[at]["type"] = kind.render(&mut defined);
            if let Some(default) = default {
                fields[at]["default"] = default;
            }
            json.to_string()
        });
    prop_oneof![3 => top, 2 => changed]
}

impl Type {
    fn render(&self, defined: &mut HashSet<usize>) -> Value {
        let new = |name: usize, defined: &mut HashSet<usize>| defined.insert(name);
        match self {
            Self::Word(word) => json!(word),
            Self::Logical(word, is) => {
                json!({ "type": word, "logicalType": is, "precision": 9, "scale": 2 })
            }
            Self::Fixed(name, size) if new(*name, defined) => {
                json!({ "type": "fixed", "name": NAMES[*name], "size": size })
            }
            Self::Enum(name, symbols) if new(*name, defined) => {
                let symbols: Vec<String> = (0..*symbols).map(|n| format!("S{n}")).collect();
                json!({ "type": "enum", "name": NAMES[*name], "symbols": symbols })
            }
            Self::Record(name, fields) if new(*name, defined) => {
                let mut names = HashSet::new();
                let fields = fields.iter().filter(|field| names.insert(field.name));
                let fields: Vec<Value> = fields
                    .map(|Field { name, kind, default }| {
                        let mut field = json!({ "name": name, "type": kind.render(defined) });
                        if let Some(default) = default {
                            field["default"] = default.clone();
                        }
                        field
                    })
                    .collect();
                json!({ "type": "record", "name": NAMES[*name], "fields": fields })
            }
            Self::Use(name) if new(*name, defined) => {
                json!({ "type": "record", "name": NAMES[*name], "fields": [] })
            }
            Self::Fixed(name, _)
            | Self::Enum(name, _)
            | Self::Record(name, _)
            | Self::Use(name) => {
                json!(NAMES[*name])
            }
            Self::Array(items) => json!({ "type": "array", "items": items.render(defined) }),
            Self::Map(values) => json!({ "type": "map", "values": values.render(defined) }),
            Self::Wrapped(kind) => json!({ "type": kind.render(defined) }),
            Self::Union(branches) => {
                let mut kinds = HashSet::new();
                let branches = branches.iter().map(|branch| branch.render(defined));
                // No two of a kind, and no union in a union.
                let branches = branches.filter(|branch| {
                    let kind = branch.get("name").or(branch.get("type")).unwrap_or(branch);
                    !branch.is_array() && kinds.insert(kind.to_string())
                });
                Value::Array(branches.collect())
            }
        }
    }
}

/// Bytes of which many are small numbers, such as lengths and branches.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![4 => 0..8_u8, 1 => any::<u8>(), 1 => Just(0x80)], 0..400)
}

/// Runs on a small stack; says how long it took.
fn bounded(what: impl FnOnce() + Send + 'static) -> Result<(), TestCaseError> {
    let began = Instant::now();
    let run = std::thread::Builder::new().stack_size(STACK).spawn(what).unwrap().join();
    prop_assert!(run.is_ok(), "it panicked");
    prop_assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    Ok(())
}

proptest! {
    #[test]
    fn any_schema_and_any_bytes_are_read_within_bounds(schema in schema(), bytes in bytes()) {
        bounded(move || {
            if let Ok(schema) = parse_writer(&schema)
                && let Err(error) = decode(&schema, &bytes)
            {
                let _ = one_line(&error);
            }
        })?;
    }

    #[test]
    fn an_event_of_ours_is_read_within_bounds_whatever_it_is_said_to_be(
        schema in schema(), event in event(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut payload = encode(&event).unwrap().payload;
        let at = at.index(payload.len());
        payload[at] = byte;
        bounded(move || {
            if let Ok(schema) = parse_writer(&schema) {
                let _ = decode(&schema, &payload).map_err(|error| one_line(&error));
            }
        })?;
    }

    #[test]
    fn any_two_schemas_are_compared_within_bounds(older in schema(), newer in schema()) {
        bounded(move || {
            let _ = parse(&older).map_err(|error| one_line(&error));
            let _ = check(&older, &older, Level::Full).map_err(|error| one_line(&error));
            let _ = check(&older, &newer, Level::Full).map_err(|error| one_line(&error));
        })?;
    }

    #[test]
    fn a_schema_that_is_damaged_anywhere_is_read_within_bounds(
        schema in schema(), at in any::<prop::sample::Index>(), text in "[\\[\\]{}\",:0-9a-z]{0,6}",
    ) {
        let at = schema.floor_char_boundary(at.index(schema.len()));
        let damaged = format!("{}{text}{}", &schema[..at], &schema[at..]);
        bounded(move || {
            let _ = (parse(&damaged), parse_writer(&damaged));
        })?;
    }
}

#[test]
fn half_of_the_schemas_made_here_are_schemas() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut good, mut read) = (0, 0);
    for _ in 0..500 {
        let text = schema().new_tree(&mut runner).unwrap().current();
        let datum = bytes().new_tree(&mut runner).unwrap().current();
        if let Ok(schema) = parse_writer(&text) {
            good += 1;
            // Most of what can be read is no event.
            read += usize::from(!matches!(decode(&schema, &datum), Err(DecodeError::Bytes { .. })));
        }
    }
    println!("{good} of 500 are schemas, {read} of these data could be read");
    assert!(good > 150 && read > 20, "{good} schemas, {read} read");
}
