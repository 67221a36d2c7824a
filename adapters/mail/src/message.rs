use std::time::SystemTime;

use application::notification::Letter;
use domain::Timestamp;
use domain::notification::EmailAddress;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::redaction::one_line;
use crate::words::Words;

/// Why no message could be made of a letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("cannot render the letter")]
    Template(#[from] askama::Error),
    #[error("cannot build the message")]
    Build(#[from] lettre::error::Error),
}

/// The letter as it is sent: both texts in UTF-8 and quoted-printable, so that each line is ASCII and
/// short. The same letter with the same date is the same message.
pub(crate) fn message(
    letter: &Letter,
    from: &Mailbox,
    date: Timestamp,
) -> Result<Vec<u8>, MessageError> {
    let words = Words::of(letter)?;
    // No line of a quoted-printable text begins with `--=_`, so the boundary is in no text.
    let body = MultiPart::alternative()
        .boundary(format!("=_{}", letter.event_id))
        .singlepart(part(ContentType::TEXT_PLAIN, words.text()))
        .singlepart(part(ContentType::TEXT_HTML, words.html()?));
    let name = one_line(&letter.name);
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new((!name.is_empty()).then_some(name), address(&letter.to)))
        .subject(words.subject)
        .date(SystemTime::from(date.get()))
        .message_id(Some(format!("<{}@{}>", letter.event_id, from.email.domain())))
        .raw_header(field("Auto-Submitted", "auto-generated"))
        .raw_header(field("Content-Language", letter.language.as_str()))
        .multipart(body)?;
    Ok(message.formatted())
}

/// The address in lettre's type. Each [`EmailAddress`] is valid there.
pub(crate) fn address(address: &EmailAddress) -> Address {
    let (local_part, domain) = address.as_str().split_once('@').unwrap_or_default();
    Address::new_dangerous(local_part, domain)
}

fn part(content_type: ContentType, text: String) -> SinglePart {
    let encoding = ContentTransferEncoding::QuotedPrintable;
    // Every text can be encoded in this way.
    let body = Body::new_with_encoding(text, encoding).unwrap_or_else(Body::new);
    SinglePart::builder().header(content_type).body(body)
}

fn field(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
