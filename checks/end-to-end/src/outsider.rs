//! What somebody else's clients see of the cluster: Confluent's for Python, and Java's own partitioner.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cluster::{PARTITIONS, TOPIC, repository, script};
use crate::order::{Order, events};

/// Where each partition of the topic ends.
pub struct Ends(Value);

/// A record of the topic, decoded.
#[derive(Debug, Clone)]
pub struct Record {
    /// The partition it lies in.
    pub partition: usize,
    /// Its key.
    pub key: String,
    /// Its headers, all of them texts.
    pub headers: Value,
    /// The full name of the schema it was written with.
    pub schema: String,
    /// What it says.
    pub event: Value,
}

/// Where the topic ends now.
pub fn ends() -> Ends {
    Ends(ask(&["ends", TOPIC], "").remove(0))
}

/// How many records have come into the topic since.
pub fn ends_after(before: &Ends) -> u64 {
    let sum = |ends: &Ends| -> u64 {
        ends.0.as_object().unwrap().values().map(|end| end.as_u64().unwrap()).sum()
    };
    sum(&ends()) - sum(before)
}

/// The topics of the cluster, by name.
pub fn layout() -> Value {
    ask(&["layout"], "").remove(0)
}

/// The state of a group, and the partitions of each of its members.
pub fn group(name: &str) -> Value {
    ask(&["group", name], "").remove(0)
}

/// So many records from there on, as they come.
pub fn read(from: &Ends, count: usize) -> Vec<Record> {
    records(&["read", TOPIC, &from.0.to_string(), &count.to_string()])
}

/// All the records that have come since.
pub fn read_all(from: &Ends) -> Vec<Record> {
    read(from, usize::try_from(ends_after(from)).unwrap())
}

/// Checks that what has come into the topic since tells of each event of these orders, in order; a record may come twice.
pub fn tells_all_in_order(from: &Ends, orders: &[Order]) {
    let records = read_all(from);
    println!("{} events, {} records", events(orders), records.len());
    tells_in_order(&records, orders);
}

/// So many records, as a reader sees them that knows only this version of the schema.
pub fn read_as(schema: &Path, from: &Ends, count: usize) -> Vec<Record> {
    let schema = schema.to_str().unwrap();
    records(&["read", TOPIC, &from.0.to_string(), &count.to_string(), "--reader", schema])
}

/// Publishes an event that was written with this version of the schema.
pub fn publish(schema: &Path, key: &str, event: &Value) {
    let line = json!({"key": key, "event": event}).to_string();
    ask(&["publish", TOPIC, schema.to_str().unwrap()], &line);
}

/// Checks the records that came while these orders were placed: every event once, all events of an order in the
/// partition where Java's producer would put them and in their order, and each saying what was asked for.
pub fn tells_once_and_in_order(records: &[Record], orders: &[Order]) {
    assert_eq!(records.len(), events(orders), "every event is told once");
    tells_in_order(records, orders);
}

/// The same, where a crash may have led to repeats, which change nothing: an event that was told is followed by the
/// next, or by one that was told before.
pub fn tells_in_order(records: &[Record], orders: &[Order]) {
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    let partitions = partitions_of(&keys);
    let orders: HashMap<&str, &Order> = orders.iter().map(|o| (o.id.as_str(), o)).collect();
    let mut told: HashMap<&str, usize> = HashMap::new();
    for (record, partition) in records.iter().zip(partitions) {
        assert_eq!(record.partition, partition, "where Java puts the key {}", record.key);
        let order = orders.get(record.key.as_str()).expect("an order that was placed");
        let version = record.says(order);
        let latest = told.entry(&record.key).or_default();
        assert!(version <= *latest + 1, "{}: {version} came after {latest}", order.id);
        *latest = version.max(*latest);
    }
    for order in orders.values() {
        assert_eq!(told.get(order.id.as_str()), Some(&order.events()), "{}", order.id);
    }
}

impl Record {
    /// Checks what the record says of the order; the order's version that it tells of.
    fn says(&self, order: &Order) -> usize {
        let (headers, event) = (&self.headers, &self.event);
        assert_eq!(event["orderId"], order.id.as_str());
        assert_eq!(headers["ce_subject"], order.id.as_str());
        assert_eq!(headers["ce_id"], event["eventId"]);
        assert_eq!(headers["ce_type"], self.schema.as_str());
        assert_eq!(headers["ce_specversion"], "1.0");
        assert_eq!(headers["content-type"], "application/avro");
        match self.schema.as_str() {
            "orders.OrderCreated" => {
                assert_eq!(event["orderVersion"], 1);
                assert_eq!(asked_for(event), asked_for(&order.wish), "{}", order.id);
                1
            }
            "orders.OrderCancelled" => {
                assert_eq!(event["orderVersion"], 2);
                assert_eq!(event["reason"], "changed my mind");
                2
            }
            other => panic!("{other} is no event of an order"),
        }
    }
}

/// What an order asks for, without what is left out or said to be nothing.
pub fn asked_for(order: &Value) -> Value {
    without_nothing(&json!({
        "customerName": order["customerName"],
        "items": order["items"],
        "note": order["note"],
    }))
}

fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nothing(value)))
            .collect(),
        Value::Array(values) => values.iter().map(without_nothing).collect(),
        other => other.clone(),
    }
}

fn records(arguments: &[&str]) -> Vec<Record> {
    let record = |line: Value| Record {
        partition: usize::try_from(line["partition"].as_u64().unwrap()).unwrap(),
        key: line["key"].as_str().unwrap().to_owned(),
        headers: line["headers"].clone(),
        schema: line["record"].as_str().unwrap().to_owned(),
        event: line["event"].clone(),
    };
    ask(arguments, "").into_iter().map(record).collect()
}

/// Into which partitions Java's producer puts these keys.
fn partitions_of(keys: &[&str]) -> Vec<usize> {
    let program = outsider("Partitions.java");
    let mut java = Command::new(script());
    java.arg("java").arg(program).arg(PARTITIONS.to_string());
    let said = answer(&mut java, &(keys.join("\n") + "\n"));
    said.lines().map(|line| line.parse().unwrap()).collect()
}

fn ask(arguments: &[&str], input: &str) -> Vec<Value> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(outsider("outsider.py")).args(arguments);
    let said = answer(&mut command, input);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outsider(file: &str) -> PathBuf {
    repository().join("checks/end-to-end/outsider").join(file)
}

/// What a program says to this input; it must end well.
fn answer(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?} ended with {status}: {stderr}");
    writer.join().unwrap().unwrap();
    String::from_utf8(stdout).unwrap()
}
