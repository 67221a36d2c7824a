//! How far one partition is read, and whether it still holds what was to be read.
//!
//! librdkafka goes on at the log's start wherever an offset is no longer there, and says so only in
//! its own log. So the offsets themselves are watched: what they jump over, and where they go back.

use std::collections::VecDeque;

use rdkafka::Offset;

use super::mark::Mark;

/// Something that must be told, since the log is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// The records `from..to` are gone, and the group had not read them.
    Lost { from: i64, to: i64 },
    /// The log was read up to `from` and now ends or goes on at `to`, before that: it was truncated,
    /// or created anew.
    Shortened { from: i64, to: i64 },
    /// It was read up to this offset, but the last record read is another one now: it was created
    /// anew.
    Replaced { read: i64 },
}

/// What to do with a record that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is to be taken in.
    New,
    /// It was read before the partition was assigned, and shows that the log is the same.
    Known,
    /// It is of another log than the one that was read: the partition must be read from its start.
    Foreign,
}

/// What librdkafka's statistics say of a partition; offsets below 0 are unknown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    /// Where the log begins.
    pub(super) start: i64,
    /// Where it ends for a reader of committed records.
    pub(super) end: i64,
    /// The end that the reader has reached, if it has.
    pub(super) reached: i64,
    /// The offset behind the last record, or transaction marker, that was delivered.
    pub(super) position: i64,
    /// How many fetched records are not delivered yet.
    pub(super) queued: i64,
}

/// How far a partition is read since it was assigned.
#[derive(Debug)]
pub(super) struct Reading {
    /// The offset the next record has if nothing is missing; unknown if Kafka did not say what the
    /// group has committed.
    next: Option<i64>,
    /// The last record before `next`, with which the reading begins.
    check: Option<Mark>,
    /// Whether a record was delivered, since the beginning or since it began again.
    started: bool,
    /// Whether it began again at the log's start, and nothing was delivered since.
    rewound: bool,
    /// Offsets that were jumped over since the last snapshot: lost, or markers of transactions.
    gaps: Vec<(i64, i64)>,
    /// Records that were handed over and are not done.
    handed: VecDeque<Mark>,
    /// The last record that is done.
    last: Option<Mark>,
    /// The offset to go on from, were the partition given up now; unknown as `next` is.
    done: Option<i64>,
    /// What else can be done once all records are that were handed over.
    passed: i64,
}

impl Reading {
    /// Of a partition of which the group has committed this, or nothing; says where to begin.
    pub(super) fn begin(committed: Option<i64>, metadata: &str) -> (Self, Offset) {
        let check = metadata.parse().ok().filter(|mark: &Mark| {
            committed.is_some_and(|committed| (0..committed).contains(&mark.offset))
        });
        let start = match (check, committed) {
            (Some(mark), _) => Offset::Offset(mark.offset),
            (None, Some(committed)) => Offset::Offset(committed),
            (None, None) => Offset::Beginning,
        };
        let next = committed.unwrap_or(0);
        (Self { next: Some(next), check, last: check, done: Some(next), ..Self::unknown() }, start)
    }

    /// Of a partition of which is not known what the group has committed.
    pub(super) fn unknown() -> Self {
        Self {
            next: None,
            check: None,
            started: false,
            rewound: false,
            gaps: Vec::new(),
            handed: VecDeque::new(),
            last: None,
            done: None,
            passed: 0,
        }
    }

    /// A record arrived.
    pub(super) fn record(&mut self, mark: Mark) -> (Arrival, Option<Finding>) {
        let next = self.next.unwrap_or(mark.offset);
        if let Some(check) = self.check.take()
            && check.offset == mark.offset
        {
            if check == mark {
                self.started = true;
                return (Arrival::Known, None);
            }
            self.rewind();
            return (Arrival::Foreign, Some(Finding::Replaced { read: next }));
        }
        let finding =
            (mark.offset < next).then_some(Finding::Shortened { from: next, to: mark.offset });
        if mark.offset > next {
            self.gaps.push((next, mark.offset));
        }
        self.started = true;
        self.rewound = false;
        self.next = Some(mark.offset + 1);
        self.handed.push_back(mark);
        (Arrival::New, finding)
    }

    /// Compares with what librdkafka knows of the log; says as well whether it must be read from its
    /// start, since it does not even reach to the record that was read last.
    pub(super) fn compare(&mut self, log: Snapshot) -> (Vec<Finding>, bool) {
        let start = log.start;
        let lost = |(from, to): (i64, i64)| {
            (start > from).then(|| Finding::Lost { from, to: to.min(start) })
        };
        let mut findings: Vec<Finding> = self.gaps.drain(..).filter_map(lost).collect();
        let Some(next) = self.next else { return (findings, false) };
        if self.rewound {
            return (findings, false);
        }
        // What was delivered after the snapshot is not in its position.
        let is_current = if log.position < 0 { !self.started } else { log.position == next };
        let is_at_end = log.queued == 0 && log.reached >= 0 && log.reached == log.end;
        if is_at_end && is_current {
            if start > next {
                findings.push(Finding::Lost { from: next, to: start });
                self.go_on_from(start);
            } else if log.end < next {
                findings.push(Finding::Shortened { from: next, to: log.end });
                if self.check.is_some() && start < log.end {
                    self.rewind();
                    return (findings, true);
                }
                self.go_on_from(log.end);
            }
        } else if log.position > next {
            // Markers of transactions are delivered to nobody.
            self.next = Some(log.position);
        }
        self.passed = self.passed.max(log.position);
        (findings, false)
    }

    fn go_on_from(&mut self, offset: i64) {
        self.next = Some(offset);
        self.check = None;
        self.last = None;
        self.done = Some(offset.min(self.done.unwrap_or(0)));
        self.passed = offset;
    }

    fn rewind(&mut self) {
        *self = Self { next: Some(0), done: Some(0), rewound: true, ..Self::unknown() };
    }

    /// All records before this offset are done; gives the last of them, to be committed with it.
    pub(super) fn done(&mut self, offset: i64) -> Option<Mark> {
        while let Some(mark) = self.handed.pop_front_if(|mark| mark.offset < offset) {
            self.last = Some(mark);
        }
        self.done = Some(offset);
        self.last
    }

    /// The offset to commit now that all records are done that were handed over, if it is further
    /// than that of the last of them: behind it are markers of transactions, or nothing any more.
    pub(super) fn beyond(&self) -> Option<i64> {
        let done = self.done.unwrap_or(0);
        let is_all_done = self.handed.is_empty() && self.check.is_none() && !self.rewound;
        (is_all_done && self.passed > done).then_some(self.passed)
    }

    /// How many records of the log the group has not done.
    pub(super) fn lag(&self, log: Snapshot) -> i64 {
        self.done.map_or(0, |done| (log.end - done.max(log.start)).max(0))
    }
}

#[cfg(test)]
mod tests;
