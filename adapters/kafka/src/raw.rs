//! Copies a record out of the memory of librdkafka.

use std::panic::{AssertUnwindSafe, catch_unwind};

use application::published::{RawRecord, RecordHeader};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// Replaces the name of a header that is not UTF-8.
const INVALID_NAME: &str = "\u{fffd}";

pub(super) fn raw_record(message: &BorrowedMessage<'_>) -> RawRecord {
    RawRecord {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map(headers).unwrap_or_default(),
    }
}

fn headers(headers: &impl Headers) -> Vec<RecordHeader> {
    let header = |index| {
        // rdkafka panics if the name is not UTF-8. Any client can send such a header.
        let header = catch_unwind(AssertUnwindSafe(|| {
            headers.try_get(index).map(|header| RecordHeader {
                name: header.key.to_owned(),
                value: header.value.map(<[u8]>::to_vec),
            })
        }));
        header.unwrap_or_else(|_| Some(RecordHeader { name: INVALID_NAME.to_owned(), value: None }))
    };
    (0..headers.count()).filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Header;

    use super::*;

    /// Headers like those of rdkafka. The name of the second is not UTF-8.
    struct Foreign;

    impl Headers for Foreign {
        fn count(&self) -> usize {
            3
        }

        fn try_get(&self, index: usize) -> Option<Header<'_, &[u8]>> {
            assert_ne!(index, 1, "the name is not UTF-8");
            Some(Header { key: "name", value: (index == 0).then_some(b"\xff") })
        }
    }

    #[test]
    fn a_header_whose_name_is_not_utf8_does_not_panic() {
        let header = |name: &str, value: Option<&[u8]>| RecordHeader {
            name: name.to_owned(),
            value: value.map(<[u8]>::to_vec),
        };
        let expected =
            [header("name", Some(b"\xff")), header(INVALID_NAME, None), header("name", None)];
        assert_eq!(headers(&Foreign), expected);
    }
}
