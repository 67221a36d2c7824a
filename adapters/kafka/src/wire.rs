//! Confluent's wire format: `0x00`, the schema's id as 4 bytes big-endian, the Avro datum.

/// The 5 bytes and the datum behind them.
pub(super) fn frame(schema_id: u32, datum: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(5 + datum.len());
    framed.push(0);
    framed.extend_from_slice(&schema_id.to_be_bytes());
    framed.extend_from_slice(datum);
    framed
}

/// The schema's id and the datum; `None` if the bytes do not begin as they should.
pub(super) fn unframe(framed: &[u8]) -> Option<(u32, &[u8])> {
    let (&0, rest) = framed.split_first()? else {
        return None;
    };
    let (id, datum) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*id), datum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_framed_is_read_again() {
        assert_eq!(frame(0x0102_0304, b"datum"), b"\x00\x01\x02\x03\x04datum");
        assert_eq!(unframe(b"\x00\x01\x02\x03\x04datum"), Some((0x0102_0304, &b"datum"[..])));
        assert_eq!(unframe(&frame(7, b"")), Some((7, &b""[..])));
    }

    #[test]
    fn bytes_that_do_not_begin_with_the_frame_are_refused() {
        for bytes in [&b""[..], b"\x00", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01datum"] {
            assert_eq!(unframe(bytes), None, "{bytes:?}");
        }
    }
}
