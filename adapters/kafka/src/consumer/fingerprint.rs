use std::fmt;
use std::str::FromStr;

use rdkafka::Message;

/// How many bytes of a record's value are hashed: the schema id, the event's id and its time.
const HASHED_BYTES: usize = 64;

/// Identifies one record of a partition.
///
/// It is committed with the offset, as metadata. The next reader compares it with the record that
/// is in the topic then: a topic that was deleted and created again has another record at that
/// offset, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordFingerprint {
    pub(super) offset: i64,
    timestamp: i64,
    fingerprint: u64,
}

impl RecordFingerprint {
    pub(super) fn of(message: &impl Message) -> Self {
        let value = message.payload().unwrap_or_default();
        let head = &value[..value.len().min(HASHED_BYTES)];
        Self {
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(-1),
            fingerprint: fnv1a([message.key().unwrap_or_default(), head]),
        }
    }
}

/// 64-bit FNV-1a. It must never change: it is compared with hashes that older programs committed.
fn fnv1a(parts: [&[u8]; 2]) -> u64 {
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// First word of the text. It distinguishes our metadata from those of other programs.
const VERSION: &str = "record-1";

impl fmt::Display for RecordFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION} {} {} {:016x}", self.offset, self.timestamp, self.fingerprint)
    }
}

/// The text is not a fingerprint: it is empty, or another program has committed it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAFingerprint;

impl FromStr for RecordFingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let [VERSION, offset, timestamp, fingerprint] = text.split(' ').collect::<Vec<_>>()[..]
        else {
            return Err(NotAFingerprint);
        };
        Ok(Self {
            offset: offset.parse().map_err(|_| NotAFingerprint)?,
            timestamp: timestamp.parse().map_err(|_| NotAFingerprint)?,
            fingerprint: u64::from_str_radix(fingerprint, 16).map_err(|_| NotAFingerprint)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;

    use super::*;

    fn record(offset: i64, millis: i64, key: &str, value: &str) -> RecordFingerprint {
        let bytes = |text: &str| Some(text.as_bytes().to_vec());
        RecordFingerprint::of(&OwnedMessage::new(
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
    fn a_fingerprint_can_be_written_as_text_and_parsed() {
        let fingerprint = record(7, 1_700_000_000_000, "key", "value");
        assert_eq!(fingerprint.to_string(), "record-1 7 1700000000000 e368dcce8b3de3a5");
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    }

    #[test]
    fn each_part_of_a_record_changes_the_fingerprint() {
        let fingerprint = record(7, 1, "key", "value");
        for other in [
            record(8, 1, "key", "value"),
            record(7, 2, "key", "value"),
            record(7, 1, "kez", "value"),
            record(7, 1, "key", "valuf"),
        ] {
            assert_ne!(other, fingerprint);
        }
    }

    #[test]
    fn metadata_of_other_programs_are_not_a_fingerprint() {
        for text in ["", "record-1", "record-1 7 1", "record-2 7 1 0", "record-1 x 1 0", "a b c d"]
        {
            assert_eq!(text.parse::<RecordFingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }
}
