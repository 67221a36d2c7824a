//! Progress of the group in one partition, and detection of lost records.
//!
//! If an offset no longer exists, librdkafka continues at the start of the log and reports that
//! only in its own log lines. So this module checks the offsets: for gaps, and for going back.

use std::collections::VecDeque;

use rdkafka::Offset;

use super::fingerprint::RecordFingerprint;

/// A change of the log that has to be reported, because records were or may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogProblem {
    /// The records `from..to` were deleted before the group read them.
    Lost { from: i64, to: i64 },
    /// The log was read up to `from`, and now ends or continues at `to`, which is smaller. It was
    /// truncated or created again.
    Shortened { from: i64, to: i64 },
    /// The log was read up to this offset, but has another record there now. It was created again.
    Replaced { read: i64 },
}

/// What to do with a record that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It has to be applied.
    New,
    /// It was processed before the partition was assigned. It proves that the log is the same.
    AlreadyRead,
    /// The topic was created again. The partition has to be read from its start.
    OtherLog,
}

/// Statistics of librdkafka about a partition. Offsets below 0 are unknown.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogStatistics {
    /// The first offset of the log.
    pub(super) start: i64,
    /// The end of the log, as seen by a reader of committed transactions.
    pub(super) end: i64,
    /// The end of the log when the reader last reached it.
    pub(super) reached: i64,
    /// The offset after the last delivered record or transaction marker.
    pub(super) position: i64,
    /// The number of fetched records that are not delivered yet.
    pub(super) queued: i64,
}

/// Progress in a partition since it was assigned.
#[derive(Debug)]
pub(super) struct PartitionProgress {
    /// The offset of the next record if none is missing. Unknown until the first record if the
    /// committed offset is unknown.
    next: Option<i64>,
    /// The record before `next`, which is read first to compare its fingerprint.
    expected: Option<RecordFingerprint>,
    /// Whether a record was delivered since the assignment or the last rewind.
    started: bool,
    /// Whether the partition was rewound to its start, and no record was delivered since.
    rewound: bool,
    /// Offsets that were skipped since the last statistics: lost records or transaction markers.
    gaps: Vec<(i64, i64)>,
    /// Delivered records that are not processed yet.
    unprocessed: VecDeque<RecordFingerprint>,
    /// The last processed record.
    last: Option<RecordFingerprint>,
    /// The offset to continue at if the partition were revoked now. Unknown as `next` is.
    processed: Option<i64>,
    /// The offset that can be committed once all delivered records are processed.
    position: i64,
}

impl PartitionProgress {
    /// Progress in a newly assigned partition, and the offset to start reading at.
    ///
    /// `committed` and `metadata` are what the group has committed, if anything.
    pub(super) fn begin(committed: Option<i64>, metadata: &str) -> (Self, Offset) {
        let expected = metadata.parse().ok().filter(|fingerprint: &RecordFingerprint| {
            committed.is_some_and(|committed| (0..committed).contains(&fingerprint.offset))
        });
        let start = match (expected, committed) {
            (Some(fingerprint), _) => Offset::Offset(fingerprint.offset),
            (None, Some(committed)) => Offset::Offset(committed),
            (None, None) => Offset::Beginning,
        };
        let next = committed.unwrap_or(0);
        (
            Self {
                next: Some(next),
                expected,
                last: expected,
                processed: Some(next),
                ..Self::unknown()
            },
            start,
        )
    }

    /// Progress in a partition whose committed offset is unknown.
    pub(super) fn unknown() -> Self {
        Self {
            next: None,
            expected: None,
            started: false,
            rewound: false,
            gaps: Vec::new(),
            unprocessed: VecDeque::new(),
            last: None,
            processed: None,
            position: 0,
        }
    }

    /// Adds a delivered record.
    pub(super) fn record(
        &mut self,
        fingerprint: RecordFingerprint,
    ) -> (Arrival, Option<LogProblem>) {
        let next = self.next.unwrap_or(fingerprint.offset);
        if let Some(expected) = self.expected.take()
            && expected.offset == fingerprint.offset
        {
            if expected == fingerprint {
                self.started = true;
                return (Arrival::AlreadyRead, None);
            }
            self.rewind();
            return (Arrival::OtherLog, Some(LogProblem::Replaced { read: next }));
        }
        let problem = (fingerprint.offset < next)
            .then_some(LogProblem::Shortened { from: next, to: fingerprint.offset });
        if fingerprint.offset > next {
            self.gaps.push((next, fingerprint.offset));
        }
        self.started = true;
        self.rewound = false;
        self.next = Some(fingerprint.offset + 1);
        self.unprocessed.push_back(fingerprint);
        (Arrival::New, problem)
    }

    /// Compares the progress with statistics of librdkafka. Returns the problems, and whether the
    /// partition has to be read from its start because the log ends before the last read record.
    pub(super) fn compare(&mut self, log: LogStatistics) -> (Vec<LogProblem>, bool) {
        let start = log.start;
        let lost = |(from, to): (i64, i64)| {
            (start > from).then(|| LogProblem::Lost { from, to: to.min(start) })
        };
        let mut problems: Vec<LogProblem> = self.gaps.drain(..).filter_map(lost).collect();
        let Some(next) = self.next else { return (problems, false) };
        if self.rewound {
            return (problems, false);
        }
        // The statistics are outdated if a record was delivered after them.
        let is_current = if log.position < 0 { !self.started } else { log.position == next };
        let is_at_end = log.queued == 0 && log.reached >= 0 && log.reached == log.end;
        if is_at_end && is_current {
            if start > next {
                problems.push(LogProblem::Lost { from: next, to: start });
                self.continue_at(start);
            } else if log.end < next {
                problems.push(LogProblem::Shortened { from: next, to: log.end });
                if self.expected.is_some() && start < log.end {
                    self.rewind();
                    return (problems, true);
                }
                self.continue_at(log.end);
            }
        } else if log.position > next {
            // Transaction markers are never delivered.
            self.next = Some(log.position);
        }
        self.position = self.position.max(log.position);
        (problems, false)
    }

    fn continue_at(&mut self, offset: i64) {
        self.next = Some(offset);
        self.expected = None;
        self.last = None;
        self.processed = Some(offset.min(self.processed.unwrap_or(0)));
        self.position = offset;
    }

    fn rewind(&mut self) {
        *self = Self { next: Some(0), processed: Some(0), rewound: true, ..Self::unknown() };
    }

    /// Marks all records before this offset as processed. Returns the fingerprint of the last one,
    /// to be committed with the offset.
    pub(super) fn mark_processed(&mut self, offset: i64) -> Option<RecordFingerprint> {
        while let Some(fingerprint) =
            self.unprocessed.pop_front_if(|fingerprint| fingerprint.offset < offset)
        {
            self.last = Some(fingerprint);
        }
        self.processed = Some(offset);
        self.last
    }

    /// The offset after the last processed record and the transaction markers or deleted records
    /// that follow it. `None` if nothing follows, or if a delivered record is not processed yet.
    pub(super) fn trailing_offset(&self) -> Option<i64> {
        let processed = self.processed.unwrap_or(0);
        let is_all_processed =
            self.unprocessed.is_empty() && self.expected.is_none() && !self.rewound;
        (is_all_processed && self.position > processed).then_some(self.position)
    }

    /// How many records of the log the group has not processed.
    pub(super) fn lag(&self, log: LogStatistics) -> i64 {
        self.processed.map_or(0, |processed| (log.end - processed.max(log.start)).max(0))
    }
}

#[cfg(test)]
mod tests;
