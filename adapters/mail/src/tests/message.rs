use application::notification::Letter;
use domain::Timestamp;
use domain::notification::{Language, LetterKind};
use lettre::message::Mailbox;
use mail_parser::{Message, MessageParser};
use proptest::prelude::*;

use super::letter;
use crate::message::message;
use crate::redaction::one_line;
use crate::words::Words;

/// 2025-01-02 03:04:05 UTC.
fn date() -> Timestamp {
    Timestamp::from_micros(1_735_787_045_000_000).unwrap()
}

fn raw(letter: &Letter) -> String {
    let from: Mailbox = "Orders <orders@shop.example>".parse().unwrap();
    String::from_utf8(message(letter, &from, date()).unwrap()).unwrap()
}

fn parse(raw: &str) -> Message<'_> {
    MessageParser::default().parse(raw.as_bytes()).unwrap()
}

/// All header fields of the message itself, in their order.
const FIELDS: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];

const LONG_NAME: &str = "Żofia Łęcka-Großmann, “die Ältere” 王小明 de la Peña y Ñuñez 🦀 with a name \
     that needs \"several\" lines; (and) <brackets>, commas@signs";

#[test]
fn a_whole_message_is_as_in_the_snapshot_and_is_read_back_unchanged() {
    let letter = Letter {
        language: Language::De,
        kind: LetterKind::Rejected,
        reason: Some("Lieferengpass – voraussichtlich bis Mai".to_owned()),
        ..letter(LONG_NAME, "zofia.lecka@example.org")
    };
    let raw = raw(&letter);
    insta::assert_snapshot!("message", raw.replace("\r\n", "\n"));

    let parsed = parse(&raw);
    let words = Words::of(&letter).unwrap();
    let to = parsed.to().unwrap().first().unwrap();
    assert_eq!(to.name(), Some(LONG_NAME));
    assert_eq!(to.address(), Some("zofia.lecka@example.org"));
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Orders"), Some("orders@shop.example")));
    assert_eq!(parsed.subject(), Some(words.subject.as_str()));
    assert_eq!(parsed.message_id(), Some(&*format!("{}@shop.example", letter.event_id)));
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2025-01-02T03:04:05Z");
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap().replace("\r\n", "\n");
    assert_eq!(text(parsed.body_text(0)), words.text());
    assert_eq!(text(parsed.body_html(0)), words.html().unwrap());
}

#[test]
fn a_repeated_letter_is_the_same_message() {
    let letter = letter(LONG_NAME, "ada@example.org");
    assert_eq!(raw(&letter), raw(&letter));
}

#[test]
fn line_breaks_in_a_name_add_no_header_field() {
    for name in ["Ada\r\nBcc: eve@example.org", "Ada\nBcc: eve@example.org\n\nHello", "Ada\r\n\r\n"]
    {
        let raw = raw(&letter(name, "ada@example.org"));
        assert_eq!(fields(&raw), FIELDS);
        let name = one_line(name);
        assert_eq!(parse(&raw).to().unwrap().first().unwrap().name(), Some(name.as_str()));
    }
}

/// The names of the fields, read without the parser.
fn fields(raw: &str) -> Vec<&str> {
    let (head, _) = raw.split_once("\r\n\r\n").unwrap();
    let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split_once(':').unwrap().0).collect()
}

fn assert_every_server_takes(raw: &str) {
    assert!(raw.is_ascii(), "{raw}");
    for line in raw.split("\r\n") {
        assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line}");
    }
    let (_, body) = raw.split_once("\r\n\r\n").unwrap();
    assert!(body.split("\r\n").all(|line| line.len() <= 78), "{body}");
}

proptest! {
    /// White space in a name is normalised: folding a header field does not preserve it.
    #[test]
    fn every_name_is_read_back_and_adds_no_header_field(name in "[^\\p{C}]{1,200}") {
        let letter = letter(&name, "ada@example.org");
        let raw = raw(&letter);
        assert_every_server_takes(&raw);
        prop_assert_eq!(fields(&raw), FIELDS);
        let parsed = parse(&raw);
        let names: Vec<_> = parsed.headers_raw().map(|(name, _)| name).collect();
        prop_assert_eq!(names, FIELDS);
        let to: Vec<_> = parsed.to().unwrap().iter().collect();
        prop_assert_eq!(to.len(), 1);
        prop_assert_eq!(to[0].address(), Some("ada@example.org"));
        prop_assert_eq!(to[0].name().unwrap_or_default(), one_line(&name));
        let words = Words::of(&letter).unwrap();
        prop_assert_eq!(parsed.subject(), Some(words.subject.as_str()));
        prop_assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), words.text());
    }

    #[test]
    fn every_text_of_a_person_gives_a_message(name in ".{0,200}", reason in ".{0,500}") {
        let kind = LetterKind::Cancelled;
        let raw = raw(&Letter { kind, reason: Some(reason), ..letter(&name, "ada@example.org") });
        assert_every_server_takes(&raw);
        prop_assert_eq!(fields(&raw), FIELDS);
    }

    /// lettre's check of addresses is not used; each address of the domain must pass it.
    #[test]
    fn every_address_is_valid_for_lettre(
        local in "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9]{1,5}){0,2}",
        domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]{1,10}){1,3}",
    ) {
        let text = format!("{local}@{domain}");
        let address = crate::message::address(&text.parse().unwrap());
        prop_assert_eq!(address.to_string(), text.clone());
        prop_assert!(text.parse::<lettre::Address>().is_ok(), "{}", text);
    }
}
