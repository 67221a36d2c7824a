use application::notification::Letter;
use askama::Template;
use domain::OrderId;
use domain::notification::{Language, LetterKind};

use crate::redaction::one_line;

/// What a letter says: the subject and the paragraphs, for the plain text and for the HTML.
pub(crate) struct Words {
    language: Language,
    pub(crate) subject: String,
    paragraphs: Vec<String>,
}

/// What the templates of the languages need.
struct Content {
    kind: LetterKind,
    name: String,
    order_id: OrderId,
    reason: Option<String>,
}

// A template has one paragraph per line. The first one is the subject.

#[derive(Template)]
#[template(path = "en.txt")]
struct English<'a> {
    letter: &'a Content,
}

#[derive(Template)]
#[template(path = "de.txt")]
struct German<'a> {
    letter: &'a Content,
}

#[derive(Template)]
#[template(path = "fr.txt")]
struct French<'a> {
    letter: &'a Content,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct HtmlPage<'a> {
    language: Language,
    subject: &'a str,
    paragraphs: &'a [String],
}

impl Words {
    pub(crate) fn of(letter: &Letter) -> Result<Self, askama::Error> {
        let Letter { language, kind, order_id, .. } = *letter;
        // A line break would begin a new paragraph.
        let reason = letter.reason.as_deref().map(one_line).filter(|reason| !reason.is_empty());
        let letter = &Content { kind, name: one_line(&letter.name), order_id, reason };
        let lines = match language {
            Language::En => English { letter }.render(),
            Language::De => German { letter }.render(),
            Language::Fr => French { letter }.render(),
        }?;
        let mut lines = lines.lines().map(str::to_owned).filter(|line| !line.is_empty());
        let subject = lines.next().unwrap_or_default();
        Ok(Self { language, subject, paragraphs: lines.collect() })
    }

    /// The plain text.
    pub(crate) fn text(&self) -> String {
        self.paragraphs.join("\n\n") + "\n"
    }

    /// The HTML, with escaped paragraphs.
    pub(crate) fn html(&self) -> Result<String, askama::Error> {
        let Self { language, subject, paragraphs } = self;
        HtmlPage { language: *language, subject, paragraphs }.render()
    }
}
