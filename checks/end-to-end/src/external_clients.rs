//! The cluster as external clients see it: Confluent's client for Python, and the partitioner of
//! the Java client.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cluster::{PARTITIONS, TOPIC, repository, script};
use crate::order::{Order, events};

/// The end offset of each partition of a topic.
pub struct EndOffsets {
    topic: &'static str,
    ends: Value,
}

/// A record of the topic, decoded.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its partition.
    pub partition: usize,
    /// Its key.
    pub key: String,
    /// Its headers as texts.
    pub headers: Value,
    /// The full name of its schema.
    pub schema: String,
    /// Its decoded value.
    pub event: Value,
}

/// The current end offsets of the topic with the events of all orders.
pub fn end_offsets() -> EndOffsets {
    end_offsets_of(TOPIC)
}

/// The current end offsets of a topic.
pub fn end_offsets_of(topic: &'static str) -> EndOffsets {
    EndOffsets { topic, ends: run_python(&["ends", topic], "").remove(0) }
}

/// The number of records published since then.
pub fn records_since(before: &EndOffsets) -> u64 {
    let sum = |offsets: &EndOffsets| -> u64 {
        offsets.ends.as_object().unwrap().values().map(|end| end.as_u64().unwrap()).sum()
    };
    sum(&end_offsets_of(before.topic)) - sum(before)
}

/// The topics of the cluster, by name.
pub fn layout() -> Value {
    run_python(&["layout"], "").remove(0)
}

/// The state of a group, and the partitions of each of its members.
pub fn group(name: &str) -> Value {
    run_python(&["group", name], "").remove(0)
}

/// Reads `count` records from these offsets.
pub fn read(from: &EndOffsets, count: usize) -> Vec<Record> {
    records(&["read", from.topic, &from.ends.to_string(), &count.to_string()])
}

/// Reads all records published since then.
pub fn read_all(from: &EndOffsets) -> Vec<Record> {
    read(from, usize::try_from(records_since(from)).unwrap())
}

/// Checks that all events of these orders were published since then, in order. Repeats are allowed.
pub fn assert_all_in_order(from: &EndOffsets, orders: &[Order]) {
    let records = read_all(from);
    println!("{} events, {} records", events(orders), records.len());
    assert_in_order(&records, orders);
}

/// Reads `count` records with this version of the schema.
pub fn read_as(schema: &Path, from: &EndOffsets, count: usize) -> Vec<Record> {
    let schema = schema.to_str().unwrap();
    records(&["read", from.topic, &from.ends.to_string(), &count.to_string(), "--reader", schema])
}

/// Publishes an event with this version of the schema.
pub fn publish(schema: &Path, key: &str, event: &Value) {
    let line = json!({"key": key, "event": event}).to_string();
    run_python(&["publish", TOPIC, schema.to_str().unwrap()], &line);
}

/// Checks the records of these orders: every event is there once and has the content of the order,
/// and all events of an order are in sequence, in the partition that the Java client would choose.
pub fn assert_once_and_in_order(records: &[Record], orders: &[Order]) {
    assert_eq!(records.len(), events(orders), "every event is published once");
    assert_in_order(records, orders);
}

/// The same, but allows repeats, which a crash may cause: an event is followed by the next one of
/// its order, or by one that was published before.
pub fn assert_in_order(records: &[Record], orders: &[Order]) {
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    let partitions = partitions_of(&keys);
    let orders: HashMap<&str, &Order> = orders.iter().map(|o| (o.id.as_str(), o)).collect();
    let mut latest_versions: HashMap<&str, usize> = HashMap::new();
    for (record, partition) in records.iter().zip(partitions) {
        assert_eq!(
            record.partition, partition,
            "the partition of the key {} in the Java client",
            record.key
        );
        let order = orders.get(record.key.as_str()).expect("an order that was placed");
        let version = record.assert_content(order);
        let latest = latest_versions.entry(&record.key).or_default();
        assert!(version <= *latest + 1, "{}: {version} came after {latest}", order.id);
        *latest = version.max(*latest);
    }
    for order in orders.values() {
        assert_eq!(latest_versions.get(order.id.as_str()), Some(&order.events()), "{}", order.id);
    }
}

impl Record {
    /// Checks the content of the record. Returns the version of the order.
    fn assert_content(&self, order: &Order) -> usize {
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
                assert_eq!(order_content(event), order_content(&order.body), "{}", order.id);
                1
            }
            "orders.OrderCancellationRequested" => {
                assert_eq!(event["orderVersion"], 2);
                assert_eq!(event["reason"], "changed my mind");
                2
            }
            "orders.OrderCancelled" => {
                assert_eq!(event["orderVersion"], 3);
                assert_eq!(event["reason"], "changed my mind");
                3
            }
            other => panic!("{other} is no event of an order"),
        }
    }
}

/// The content of an order, without `null` members.
pub fn order_content(order: &Value) -> Value {
    without_nulls(&json!({
        "customerName": order["customerName"],
        "items": order["items"],
        "note": order["note"],
    }))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        Value::Array(values) => values.iter().map(without_nulls).collect(),
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
    run_python(arguments, "").into_iter().map(record).collect()
}

/// The partitions that the Java client chooses for these keys.
fn partitions_of(keys: &[&str]) -> Vec<usize> {
    let program = script_file("Partitions.java");
    let mut java = Command::new(script());
    java.arg("java").arg(program).arg(PARTITIONS.to_string());
    let output = output_of(&mut java, &(keys.join("\n") + "\n"));
    output.lines().map(|line| line.parse().unwrap()).collect()
}

fn run_python(arguments: &[&str], input: &str) -> Vec<Value> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(script_file("python_client.py")).args(arguments);
    let output = output_of(&mut command, input);
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn script_file(file: &str) -> PathBuf {
    repository().join("checks/end-to-end/external-clients").join(file)
}

/// Runs a program with this input, and returns its output. The program must succeed.
fn output_of(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?} exited with {status}: {stderr}");
    writer.join().unwrap().unwrap();
    String::from_utf8(stdout).unwrap()
}
