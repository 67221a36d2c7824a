use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;

use super::*;

/// A record of the log with this name, at this offset.
fn record(log: &str, offset: i64) -> RecordFingerprint {
    let value = Some(format!("{log} {offset}").into_bytes());
    let at = Timestamp::CreateTime(1);
    RecordFingerprint::of(&OwnedMessage::new(value, None, "topic".to_owned(), at, 0, offset, None))
}

/// A log with the records `start..end` that was read to its end.
fn read_to_the_end(start: i64, end: i64, position: i64) -> LogStatistics {
    LogStatistics { start, end, reached: end, position, queued: 0 }
}

/// A log that is still being read.
fn still_reading(start: i64, end: i64, position: i64) -> LogStatistics {
    LogStatistics { reached: -1001, ..read_to_the_end(start, end, position) }
}

/// The log `a`, read up to offset 60.
fn up_to_60() -> PartitionProgress {
    let (partition_progress, start) =
        PartitionProgress::begin(Some(60), &record("a", 59).to_string());
    assert_eq!(start, Offset::Offset(59));
    partition_progress
}

#[test]
fn reading_starts_at_the_committed_offset_or_the_record_before_it() {
    let fingerprint = |offset| record("a", offset).to_string();
    for (committed, metadata, start) in [
        (None, String::new(), Offset::Beginning),
        (Some(60), String::new(), Offset::Offset(60)),
        (Some(60), "another program's".to_owned(), Offset::Offset(60)),
        (Some(60), fingerprint(59), Offset::Offset(59)),
        // Transaction markers follow the last record.
        (Some(60), fingerprint(57), Offset::Offset(57)),
        // An operator has set the offset back with a tool that keeps the metadata.
        (Some(60), fingerprint(60), Offset::Offset(60)),
        (None, fingerprint(60), Offset::Beginning),
    ] {
        assert_eq!(
            PartitionProgress::begin(committed, &metadata).1,
            start,
            "{committed:?} {metadata}"
        );
    }
}

#[test]
fn the_record_before_the_committed_offset_is_only_compared() {
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 59)), (Arrival::AlreadyRead, None));
    assert_eq!(partition.record(record("a", 60)), (Arrival::New, None));
    assert_eq!(partition.compare(read_to_the_end(0, 61, 61)), (vec![], false));
}

#[test]
fn another_record_at_that_offset_is_another_log() {
    let mut partition = up_to_60();
    let (arrival, problem) = partition.record(record("b", 59));
    assert_eq!(arrival, Arrival::OtherLog);
    assert_eq!(problem, Some(LogProblem::Replaced { read: 60 }));
    // These statistics are from before the rewind.
    assert_eq!(partition.compare(read_to_the_end(0, 100, 60)), (vec![], false));
    assert_eq!(partition.trailing_offset(), None);
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));
}

#[test]
fn records_deleted_before_they_were_read_are_lost() {
    // With records after them.
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 180)), (Arrival::New, None));
    let lost = vec![LogProblem::Lost { from: 60, to: 180 }];
    assert_eq!(partition.compare(still_reading(180, 240, 181)), (lost, false));
    assert_eq!(partition.compare(still_reading(180, 240, 181)), (vec![], false), "reported once");

    // With no records after them.
    let mut partition = up_to_60();
    let lost = vec![LogProblem::Lost { from: 60, to: 240 }];
    assert_eq!(partition.compare(read_to_the_end(240, 240, -1001)), (lost, false));
    assert_eq!(
        partition.compare(read_to_the_end(240, 240, -1001)),
        (vec![], false),
        "reported once"
    );
    assert_eq!(partition.trailing_offset(), Some(240), "the group has no lag");

    // For a group that has committed nothing yet.
    let (mut partition, _) = PartitionProgress::begin(None, "");
    partition.record(record("a", 5));
    let lost = vec![LogProblem::Lost { from: 0, to: 5 }];
    assert_eq!(partition.compare(still_reading(5, 9, 6)), (lost, false));

    // In a partition that is being read.
    let (mut partition, _) = PartitionProgress::begin(None, "");
    partition.record(record("a", 0));
    assert_eq!(partition.record(record("a", 7)), (Arrival::New, None));
    let lost = vec![LogProblem::Lost { from: 1, to: 7 }];
    assert_eq!(partition.compare(still_reading(7, 9, 8)), (lost, false));
}

#[test]
fn records_deleted_after_they_were_read_are_no_problem() {
    let mut partition = up_to_60();
    assert_eq!(partition.record(record("a", 60)), (Arrival::New, None));
    assert_eq!(partition.compare(still_reading(60, 61, 61)), (vec![], false));
    let mut partition = up_to_60();
    assert_eq!(partition.compare(read_to_the_end(60, 60, -1001)), (vec![], false));
}

#[test]
fn transaction_markers_are_no_loss_and_leave_no_lag() {
    let mut partition = up_to_60();
    partition.record(record("a", 59));
    partition.record(record("a", 61));
    assert_eq!(partition.compare(read_to_the_end(0, 63, 62)), (vec![], false));
    assert_eq!(partition.trailing_offset(), None, "a record is not processed yet");
    assert_eq!(partition.mark_processed(62), Some(record("a", 61)));
    assert_eq!(partition.lag(read_to_the_end(0, 63, 63)), 1);
    // Now the marker at 62 was passed too.
    assert_eq!(partition.compare(read_to_the_end(0, 63, 63)), (vec![], false));
    assert_eq!(partition.trailing_offset(), Some(63));
    assert_eq!(partition.mark_processed(63), Some(record("a", 61)), "still the last record");
    assert_eq!(partition.lag(read_to_the_end(0, 63, 63)), 0);
    assert_eq!(partition.trailing_offset(), None);
    assert_eq!(partition.record(record("a", 63)), (Arrival::New, None));
    // The markers that were passed are deleted.
    assert_eq!(partition.compare(still_reading(63, 64, 64)), (vec![], false));
}

#[test]
fn a_log_that_ends_before_the_last_read_record_is_reported_as_shortened() {
    // librdkafka has gone back to the start.
    let mut partition = up_to_60();
    let problem = Some(LogProblem::Shortened { from: 60, to: 0 });
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, problem));
    assert_eq!(partition.record(record("b", 1)), (Arrival::New, None));

    // The log is empty.
    let mut partition = up_to_60();
    let problems = vec![LogProblem::Shortened { from: 60, to: 0 }];
    assert_eq!(partition.compare(read_to_the_end(0, 0, -1001)), (problems, false));
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));

    // The log ends at the last read record, which librdkafka does not notice.
    let mut partition = up_to_60();
    let problems = vec![LogProblem::Shortened { from: 60, to: 59 }];
    assert_eq!(partition.compare(read_to_the_end(0, 59, -1001)), (problems, true));
    assert_eq!(partition.record(record("b", 0)), (Arrival::New, None));
}

#[test]
fn statistics_from_before_the_last_delivery_are_ignored() {
    let (mut partition, _) = PartitionProgress::begin(Some(60), "");
    partition.record(record("a", 60));
    partition.record(record("a", 61));
    for stale in [read_to_the_end(0, 60, -1001), read_to_the_end(0, 61, 61)] {
        assert_eq!(partition.compare(stale), (vec![], false), "{stale:?}");
    }
}

#[test]
fn the_lag_counts_existing_records_that_are_not_processed() {
    let (partition, _) = PartitionProgress::begin(Some(60), "");
    assert_eq!(partition.lag(still_reading(0, 100, 60)), 40);
    assert_eq!(partition.lag(still_reading(90, 100, 60)), 10);
    assert_eq!(partition.lag(still_reading(0, -1001, 60)), 0);
    assert_eq!(PartitionProgress::begin(None, "").0.lag(still_reading(90, 100, 60)), 10);
    assert_eq!(PartitionProgress::unknown().lag(still_reading(0, 100, 60)), 0);
}
