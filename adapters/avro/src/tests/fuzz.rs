//! Property tests: arbitrary schemas and bytes are read quickly and without a panic.
//!
//! `PROPTEST_CASES=1000000` runs more cases.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use application::one_line;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::compatibility::{Level, check};
use crate::{DecodeError, encode, latest, ordering, parse, parse_writer};

use super::decode;
use super::round_trip::event;

/// Half the stack of a tokio worker.
const STACK: usize = 1024 * 1024;

/// A type. Whether it defines a name or refers to it is decided when it is rendered.
#[derive(Debug, Clone)]
enum Type {
    Word(&'static str),
    Logical(&'static str, &'static str),
    Fixed(usize, u64),
    Enum(usize, usize),
    /// A reference to a record that is defined already. Otherwise a new, empty record.
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

/// The names of the types. The first are the names of our events.
const NAMES: [&str; 13] = [
    "orders.OrderCreated",
    "orders.OrderConfirmed",
    "orders.OrderReady",
    "orders.OrderCompleted",
    "orders.OrderRejected",
    "orders.OrderCancellationRequested",
    "orders.OrderCancellationDeclined",
    "orders.OrderCancelled",
    "orders.OrderRedacted",
    "orders.OrderItem",
    "R",
    "orders.S",
    "other.T",
];

/// The number of our events.
const EVENTS: usize = 9;

const FIELDS: [&str; 14] = [
    "eventId",
    "occurredAt",
    "orderId",
    "orderVersion",
    "customerName",
    "customerId",
    "items",
    "productId",
    "medication",
    "note",
    "code",
    "text",
    "reason",
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

/// The number of one of our events. The first has the most fields.
fn our_event() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(0), 1 => 0..EVENTS]
}

/// A schema with the name of one of our events: random, or ours with one field changed.
fn schema() -> impl Strategy<Value = String> {
    let field = (prop::sample::select(FIELDS.to_vec()), kind(), default())
        .prop_map(|(name, kind, default)| Field { name, kind, default });
    let top = (our_event(), vec(field, 0..8)).prop_map(|(name, fields)| {
        let mut defined = HashSet::new();
        Type::Record(name, fields).render(&mut defined).to_string()
    });
    let changed = (our_event(), kind(), any::<prop::sample::Index>(), default()).prop_map(
        |(name, kind, at, default)| {
            let ours = latest(NAMES[name]).unwrap();
            let mut json: Value = serde_json::from_str(ours.json).unwrap();
            let fields = json["fields"].as_array_mut().unwrap();
            let at = at.index(fields.len());
            // The names in our schema are in use, except those after the changed field.
            let mut defined = HashSet::from([name]);
            fields[at]["type"] = kind.render(&mut defined);
            if let Some(default) = default {
                fields[at]["default"] = default;
            }
            json.to_string()
        },
    );
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
                // A union must not contain a type twice, nor another union.
                let branches = branches.filter(|branch| {
                    let kind = branch.get("name").or(branch.get("type")).unwrap_or(branch);
                    !branch.is_array() && kinds.insert(kind.to_string())
                });
                Value::Array(branches.collect())
            }
        }
    }
}

/// Bytes with many small numbers, such as lengths and union branches.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![4 => 0..8_u8, 1 => any::<u8>(), 1 => Just(0x80)], 0..400)
}

/// Runs a test on a small stack. Fails if it panics or takes too long.
fn bounded(what: impl FnOnce() + Send + 'static) -> Result<(), TestCaseError> {
    let started = Instant::now();
    let run = std::thread::Builder::new().stack_size(STACK).spawn(what).unwrap().join();
    prop_assert!(run.is_ok(), "it panicked");
    prop_assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    Ok(())
}

proptest! {
    #[test]
    fn any_schema_and_any_bytes_are_read_within_the_limits(schema in schema(), bytes in bytes()) {
        bounded(move || {
            if let Ok(schema) = parse_writer(&schema)
                && let Err(error) = decode(&schema, &bytes)
            {
                let _ = one_line(&error);
            }
        })?;
    }

    #[test]
    fn an_event_of_ours_is_read_within_the_limits_with_any_schema(
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
    fn any_two_schemas_are_compared_within_the_limits(older in schema(), newer in schema()) {
        bounded(move || {
            let _ = parse(&older).map_err(|error| one_line(&error));
            let _ = check(&older, &older, Level::Full).map_err(|error| one_line(&error));
            let _ = check(&older, &newer, Level::Full).map_err(|error| one_line(&error));
        })?;
    }

    #[test]
    fn a_damaged_schema_is_read_within_the_limits(
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
fn every_event_of_ours_is_generated() {
    let known: HashSet<&str> = ordering().iter().map(|schema| schema.fullname).collect();
    assert_eq!(known, NAMES[..EVENTS].iter().copied().collect::<HashSet<_>>());
}

#[test]
fn many_of_the_generated_schemas_are_valid() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut good, mut read) = (0, 0);
    for _ in 0..500 {
        let text = schema().new_tree(&mut runner).unwrap().current();
        let datum = bytes().new_tree(&mut runner).unwrap().current();
        if let Ok(schema) = parse_writer(&text) {
            good += 1;
            // Most readable data are not an event.
            read += usize::from(!matches!(decode(&schema, &datum), Err(DecodeError::Bytes { .. })));
        }
    }
    println!("{good} of 500 schemas are valid, {read} of their data could be read");
    assert!(good > 150 && read > 20, "{good} schemas, {read} read");
}
