//! Dead letters as lines of text. Control characters in foreign data are escaped, so that a terminal
//! does not execute them.

use std::fmt::Display;

use application::dead_letters::{KeptDeadLetter, RefusedEvent};
use application::published::{RawRecord, RecordHeader};
use domain::Timestamp;

/// A dead letter as the command line shows it.
pub trait DeadContent: Sized {
    /// The result of a retry.
    const RETRIED: &'static str;

    /// The dead letter in one line: columns between tabs.
    fn line<Id: Display>(letter: &KeptDeadLetter<Id, Self>) -> String;
}

/// Id, state, when it was kept, place in the topic, key, value, reason, when the record was made, its
/// headers, when the dead letter was retried or discarded.
impl DeadContent for RawRecord {
    const RETRIED: &'static str = "consumed";

    fn line<Id: Display>(letter: &KeptDeadLetter<Id, Self>) -> String {
        let KeptDeadLetter { id, content: record, reason, kept_at, state } = letter;
        let key = record.key.as_deref().map_or_else(|| "-".into(), String::from_utf8_lossy);
        let value = match &record.value {
            Some(value) => format!("{} bytes", value.len()),
            None => "tombstone".to_owned(),
        };
        let micros = record.timestamp_ms.and_then(|millis| millis.checked_mul(1_000));
        // It may be any number.
        let made_at = micros.and_then(|micros| Timestamp::from_micros(micros).ok());
        let headers: Vec<String> = record.headers.iter().map(header).collect();
        format!(
            "{id}\t{}\t{kept_at}\t{}/{}@{}\t{}\t{value}\t{}\t{}\t{}\t{}",
            state.status(),
            record.topic,
            record.partition,
            record.offset,
            key.escape_debug(),
            reason.escape_debug(),
            time(made_at),
            headers.join(" "),
            time(state.settled_at()),
        )
    }
}

/// Id, state, when it was kept, event type, aggregate and its version, reason, when it was retried or
/// discarded.
impl DeadContent for RefusedEvent {
    const RETRIED: &'static str = "due to be published again";

    fn line<Id: Display>(letter: &KeptDeadLetter<Id, Self>) -> String {
        let KeptDeadLetter { id, content: event, reason, kept_at, state } = letter;
        format!(
            "{id}\t{}\t{kept_at}\t{}\t{} at version {}\t{}\t{}",
            state.status(),
            event.event_type.escape_debug(),
            event.aggregate_id,
            event.aggregate_version,
            reason.escape_debug(),
            time(state.settled_at()),
        )
    }
}

fn header(RecordHeader { name, value }: &RecordHeader) -> String {
    let value = value.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    format!("{}={}", name.escape_debug(), value.escape_debug())
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}
