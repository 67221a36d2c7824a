use domain::Timestamp;
use mail_parser::{Message, MessageParser};

/// A mail whose content the server has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its number: 1 for the first one.
    pub number: u64,
    /// When it was received.
    pub received_at: Timestamp,
    /// The address of the sender, from the envelope.
    pub from: String,
    /// The addresses of the recipients, from the envelope.
    pub to: Vec<String>,
    /// The content, byte for byte as the client sent it.
    pub raw: Vec<u8>,
    /// Whether the server has accepted it, or refused it after it had the content.
    pub accepted: bool,
    /// The code and the text of the server's answer.
    pub answer: String,
}

impl Mail {
    /// The subject, decoded.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed(|message| message.subject().map(str::to_owned)).unwrap_or_default()
    }

    /// The plain text, decoded.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.parsed(|message| {
            let part =
                message.text_part(0).filter(|part| part.is_text() && !part.is_text_html())?;
            part.text_contents().map(str::to_owned)
        })
    }

    /// The HTML, decoded.
    #[must_use]
    pub fn html(&self) -> Option<String> {
        self.parsed(|message| {
            let part = message.html_part(0).filter(|part| part.is_text_html())?;
            part.text_contents().map(str::to_owned)
        })
    }

    /// The names and values of all header fields, in their order: unfolded, but not decoded.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        self.parsed(|message| {
            let unfolded = |value: &str| value.replace(['\r', '\n'], "").trim().to_owned();
            let headers = message.headers_raw();
            Some(headers.map(|(name, value)| (name.to_owned(), unfolded(value))).collect())
        })
        .unwrap_or_default()
    }

    /// The value of the first header field with this name: unfolded, but not decoded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    fn parsed<T>(&self, read: impl FnOnce(&Message<'_>) -> Option<T>) -> Option<T> {
        MessageParser::default().parse(&self.raw).as_ref().and_then(read)
    }
}
