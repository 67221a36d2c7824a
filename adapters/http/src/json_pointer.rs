use std::fmt::Write as _;

use serde_path_to_error::{Path, Segment};

/// The path to a value as a JSON pointer (RFC 6901) in a URI fragment: `#/items/0/quantity`.
pub(super) fn pointer(path: &Path) -> String {
    let mut pointer = String::from("#");
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { variant } => push(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// Goes a member deeper.
pub(super) fn push(pointer: &mut String, member: &str) {
    pointer.push('/');
    for byte in member.bytes() {
        match byte {
            b'~' => pointer.push_str("~0"),
            b'/' => pointer.push_str("~1"),
            // What RFC 3986 lets a fragment hold as it is.
            byte if byte.is_ascii_alphanumeric() || b"-._!$&'()*+,;=:@?".contains(&byte) => {
                pointer.push(char::from(byte));
            }
            other => {
                let _ = write!(pointer, "%{other:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_escaped_for_the_pointer_and_for_the_uri() {
        let mut pointer = String::from("#");
        push(&mut pointer, "a/b~c d\u{e9}\"");
        assert_eq!(pointer, "#/a~1b~0c%20d%C3%A9%22");
    }
}
