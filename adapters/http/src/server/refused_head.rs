use std::str::from_utf8;

use axum::body::Bytes;
use serde_json::json;

use crate::{Problem, ProblemType};

/// Gives a problem as body to hyper's own answer to a head that it cannot read. hyper has no other
/// way to set this body. Returns `None` for any other answer.
///
/// A head that is too large before its first line ended has a URI that is too long; hyper does not
/// distinguish this.
pub(super) fn with_problem(answer: &[u8], first_line_ended: bool) -> Option<Bytes> {
    let head = from_utf8(answer).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next()?;
    let (kind, detail) = match status_line.strip_prefix("HTTP/1.1 ")?.get(..3)? {
        "400" => (ProblemType::MalformedHead, "the request line or a header is malformed"),
        "431" if !first_line_ended => {
            (ProblemType::UriTooLong, "the request line may have at most 32 KiB")
        }
        "431" => (
            ProblemType::HeadTooLarge,
            "the request line and the headers may have at most 32 KiB, and at most 100 headers",
        ),
        _ => return None,
    };
    let body = json!(Problem::new(kind, detail)).to_string();

    let mut own = String::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" if value.trim() == "0" => {}
            "connection" | "date" => own.extend([line, "\r\n"]),
            // An answer of the router.
            _ => return None,
        }
    }
    let (status, length) = (kind.status(), body.len());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
         content-length: {length}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n{own}\r\n{body}"
    );
    Some(answer.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_hyper_itself_get_a_body() {
        let own =
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = with_problem(own.as_bytes(), true).unwrap();
        let answer = from_utf8(&answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\ncontent-type: "), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\ndate: x\r\n\r\n{"), "{answer}");
        assert_eq!(answer.matches("content-length").count(), 1, "{answer}");
        for other in [
            "",
            "a",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n{}",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\netag: \"1\"\r\n\r\n",
        ] {
            assert_eq!(with_problem(other.as_bytes(), true), None, "{other:?}");
        }
    }
}
