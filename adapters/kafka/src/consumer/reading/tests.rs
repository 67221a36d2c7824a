use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;

use super::*;

/// The record at this offset of the log with this name.
fn record(log: &str, offset: i64) -> Mark {
    let value = Some(format!("{log} {offset}").into_bytes());
    let at = Timestamp::CreateTime(1);
    Mark::of(&OwnedMessage::new(value, None, "topic".to_owned(), at, 0, offset, None))
}

/// A log that holds `start..end` and was read to its end.
fn read_to_the_end(start: i64, end: i64, position: i64) -> Snapshot {
    Snapshot { start, end, reached: end, position, queued: 0 }
}

/// A log that is being read.
fn reading(start: i64, end: i64, position: i64) -> Snapshot {
    Snapshot { reached: -1001, ..read_to_the_end(start, end, position) }
}

/// Read up to 60 of the log `a`.
fn up_to_60() -> Reading {
    let (reading, start) = Reading::begin(Some(60), &record("a", 59).to_string());
    assert_eq!(start, Offset::Offset(59));
    reading
}

#[test]
fn where_to_begin() {
    let mark = |offset| record("a", offset).to_string();
    for (committed, metadata, start) in [
        (None, String::new(), Offset::Beginning),
        (Some(60), String::new(), Offset::Offset(60)),
        (Some(60), "somebody else's".to_owned(), Offset::Offset(60)),
        (Some(60), mark(59), Offset::Offset(59)),
        // Behind the last record were markers.
        (Some(60), mark(57), Offset::Offset(57)),
        // An operator has set the offset back, with a tool that keeps metadata.
        (Some(60), mark(60), Offset::Offset(60)),
        (None, mark(60), Offset::Beginning),
    ] {
        assert_eq!(Reading::begin(committed, &metadata).1, start, "{committed:?} {metadata}");
    }
}

#[test]
fn the_last_record_read_is_only_looked_at() {
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 59)), (Arrival::Known, None));
    assert_eq!(partition.record(record("a", 60)), (Arrival::New, None));
    assert_eq!(partition.compare(read_to_the_end(0, 61, 61)), (vec![], false));
}

#[test]
fn another_record_at_its_offset_is_another_log() {
    let mut partition = up_to_60();
    let (arrival, finding) = partition.record(record("b", 59));
    assert_eq!(arrival, Arrival::Foreign);
    assert_eq!(finding, Some(Finding::Replaced { read: 60 }));
    // What librdkafka still knows of before says nothing of the log's start.
    assert_eq!(partition.compare(read_to_the_end(0, 100, 60)), (vec![], false));
    assert_eq!(partition.beyond(), None);
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));
}

#[test]
fn what_is_deleted_unread_is_lost() {
    // With records behind it.
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 180)), (Arrival::New, None));
    let lost = vec![Finding::Lost { from: 60, to: 180 }];
    assert_eq!(partition.compare(reading(180, 240, 181)), (lost, false));
    assert_eq!(partition.compare(reading(180, 240, 181)), (vec![], false), "told once");

    // With nothing behind it.
    let mut partition = up_to_60();
    let lost = vec![Finding::Lost { from: 60, to: 240 }];
    assert_eq!(partition.compare(read_to_the_end(240, 240, -1001)), (lost, false));
    assert_eq!(partition.compare(read_to_the_end(240, 240, -1001)), (vec![], false), "told once");
    assert_eq!(partition.beyond(), Some(240), "the group is not behind any more");

    // By a group that has committed nothing yet.
    let (mut partition, _) = Reading::begin(None, "");
    partition.record(record("a", 5));
    let lost = vec![Finding::Lost { from: 0, to: 5 }];
    assert_eq!(partition.compare(reading(5, 9, 6)), (lost, false));

    // Of a partition that is being read.
    let (mut partition, _) = Reading::begin(None, "");
    partition.record(record("a", 0));
    assert_eq!(partition.record(record("a", 7)), (Arrival::New, None));
    let lost = vec![Finding::Lost { from: 1, to: 7 }];
    assert_eq!(partition.compare(reading(7, 9, 8)), (lost, false));
}

#[test]
fn what_was_read_may_be_deleted() {
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 60)), (Arrival::New, None));
    assert_eq!(partition.compare(reading(60, 61, 61)), (vec![], false));
    let mut partition = up_to_60();
    assert_eq!(partition.compare(read_to_the_end(60, 60, -1001)), (vec![], false));
}

#[test]
fn markers_of_transactions_are_no_loss_and_leave_no_lag() {
    let mut partition = up_to_60();
    partition.record(record("a", 59));
    partition.record(record("a", 61));
    assert_eq!(partition.compare(read_to_the_end(0, 63, 62)), (vec![], false));
    assert_eq!(partition.beyond(), None, "a record is not done yet");
    assert_eq!(partition.done(62), Some(record("a", 61)));
    assert_eq!(partition.lag(read_to_the_end(0, 63, 63)), 1);
    // Now the marker at 62 was delivered as well.
    assert_eq!(partition.compare(read_to_the_end(0, 63, 63)), (vec![], false));
    assert_eq!(partition.beyond(), Some(63));
    assert_eq!(partition.done(63), Some(record("a", 61)), "still the last record");
    assert_eq!(partition.lag(read_to_the_end(0, 63, 63)), 0);
    assert_eq!(partition.beyond(), None);
    assert_eq!(partition.record(record("a", 63)), (Arrival::New, None));
}

#[test]
fn a_log_that_ends_before_what_was_read_is_shorter() {
    // librdkafka has gone back to its start.
    let mut partition = up_to_60();
    let told = Some(Finding::Shortened { from: 60, to: 0 });
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, told));
    assert_eq!(partition.record(record("b", 1)), (Arrival::New, None));

    // It is empty.
    let mut partition = up_to_60();
    let told = vec![Finding::Shortened { from: 60, to: 0 }];
    assert_eq!(partition.compare(read_to_the_end(0, 0, -1001)), (told, false));
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));

    // It ends where the last record was, so that librdkafka finds nothing wrong.
    let mut partition = up_to_60();
    let told = vec![Finding::Shortened { from: 60, to: 59 }];
    assert_eq!(partition.compare(read_to_the_end(0, 59, -1001)), (told, true));
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));
}

#[test]
fn figures_from_before_a_record_was_delivered_prove_nothing() {
    let (mut partition, _) = Reading::begin(Some(60), "");
    partition.record(record("a", 60));
    partition.record(record("a", 61));
    for stale in [read_to_the_end(0, 60, -1001), read_to_the_end(0, 61, 61)] {
        assert_eq!(partition.compare(stale), (vec![], false), "{stale:?}");
    }
}

#[test]
fn the_lag_counts_what_is_there_and_not_done() {
    let (partition, _) = Reading::begin(Some(60), "");
    assert_eq!(partition.lag(reading(0, 100, 60)), 40);
    assert_eq!(partition.lag(reading(90, 100, 60)), 10);
    assert_eq!(partition.lag(reading(0, -1001, 60)), 0);
    assert_eq!(Reading::begin(None, "").0.lag(reading(90, 100, 60)), 10);
    assert_eq!(Reading::unknown().lag(reading(0, 100, 60)), 0);
}
