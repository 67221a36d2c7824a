//! A record as librdkafka hands it over, copied out of its memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use application::published::{RawRecord, RecordHeader};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// What stands for the name of a header that is no UTF-8.
const NO_NAME: &str = "\u{fffd}";

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
    let header = |place| {
        // rdkafka panics at a name that is no UTF-8, which any client can send.
        let header = catch_unwind(AssertUnwindSafe(|| {
            headers.try_get(place).map(|header| RecordHeader {
                name: header.key.to_owned(),
                value: header.value.map(<[u8]>::to_vec),
            })
        }));
        header.unwrap_or_else(|_| Some(RecordHeader { name: NO_NAME.to_owned(), value: None }))
    };
    (0..headers.count()).filter_map(header).collect()
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Header;

    use super::*;

    /// Headers as rdkafka gives them, the second with a name that is no UTF-8.
    struct Foreign;

    impl Headers for Foreign {
        fn count(&self) -> usize {
            3
        }

        fn try_get(&self, place: usize) -> Option<Header<'_, &[u8]>> {
            assert_ne!(place, 1, "the name is no UTF-8");
            Some(Header { key: "name", value: (place == 0).then_some(b"\xff") })
        }
    }

    #[test]
    fn a_header_whose_name_is_no_text_kills_nobody() {
        let header = |name: &str, value: Option<&[u8]>| RecordHeader {
            name: name.to_owned(),
            value: value.map(<[u8]>::to_vec),
        };
        let expected = [header("name", Some(b"\xff")), header(NO_NAME, None), header("name", None)];
        assert_eq!(headers(&Foreign), expected);
    }
}
