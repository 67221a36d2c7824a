use std::fmt;
use std::str::FromStr;

use rdkafka::Message;

/// How many bytes of a record's value the fingerprint covers: the schema id, the event's id and its
/// time.
const COVERED: usize = 64;

/// Recognises one record of a partition. It is committed with the offset, as its metadata, so that
/// the next reader can tell whether this is still the same log: a topic that was deleted and created
/// again has another record at that offset, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) offset: i64,
    timestamp: i64,
    fingerprint: u64,
}

impl Mark {
    pub(super) fn of(message: &impl Message) -> Self {
        let value = message.payload().unwrap_or_default();
        let head = &value[..value.len().min(COVERED)];
        Self {
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(-1),
            fingerprint: fnv1a([message.key().unwrap_or_default(), head]),
        }
    }
}

/// 64-bit FNV-1a. Its value must never change: it is compared with what an older program committed.
fn fnv1a(parts: [&[u8]; 2]) -> u64 {
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The first word of the text, so that metadata of other programs are not misread.
const VERSION: &str = "record-1";

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION} {} {} {:016x}", self.offset, self.timestamp, self.fingerprint)
    }
}

/// The text is no mark: another program committed it, or none was known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let [VERSION, offset, timestamp, fingerprint] = text.split(' ').collect::<Vec<_>>()[..]
        else {
            return Err(NoMark);
        };
        Ok(Self {
            offset: offset.parse().map_err(|_| NoMark)?,
            timestamp: timestamp.parse().map_err(|_| NoMark)?,
            fingerprint: u64::from_str_radix(fingerprint, 16).map_err(|_| NoMark)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;

    use super::*;

    fn record(offset: i64, millis: i64, key: &str, value: &str) -> Mark {
        let bytes = |text: &str| Some(text.as_bytes().to_vec());
        Mark::of(&OwnedMessage::new(
            bytes(value),
            bytes(key),
            "topic".to_owned(),
            Timestamp::CreateTime(millis),
            0,
            offset,
            None,
        ))
    }

    #[test]
    fn a_mark_survives_being_committed_as_text() {
        let mark = record(7, 1_700_000_000_000, "key", "value");
        assert_eq!(mark.to_string(), "record-1 7 1700000000000 e368dcce8b3de3a5");
        assert_eq!(mark.to_string().parse(), Ok(mark));
    }

    #[test]
    fn each_part_of_a_record_counts() {
        let mark = record(7, 1, "key", "value");
        for other in [
            record(8, 1, "key", "value"),
            record(7, 2, "key", "value"),
            record(7, 1, "kez", "value"),
            record(7, 1, "key", "valuf"),
        ] {
            assert_ne!(other, mark);
        }
    }

    #[test]
    fn what_others_commit_is_no_mark() {
        for text in ["", "record-1", "record-1 7 1", "record-2 7 1 0", "record-1 x 1 0", "a b c d"]
        {
            assert_eq!(text.parse::<Mark>(), Err(NoMark), "{text}");
        }
    }
}
