//! JSON Schemas of the texts in requests, as exact as JSON Schema allows.
//!
//! The limits of the length apply after trimming. `minLength` and `maxLength` cannot express this,
//! so the schemas use a pattern.

use domain::ordering::{CancelReason, CodeDisplay, CustomerName, OrderNote};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

/// The white space of Unicode, which is trimmed, as the content of a character class.
const BLANK: &str =
    r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";

/// The control characters of Unicode, as the content of a character class.
const CONTROL: &str = r"\u0000-\u001F\u007F-\u009F";

pub(crate) fn customer_name() -> Object {
    required(
        "The name of the customer: 1 to 200 characters after trimming, without control characters",
        &line(CustomerName::MAX_CHARS),
        "Ada Lovelace",
    )
}

pub(crate) fn note() -> Object {
    optional(
        "A note: 1 to 1000 characters after trimming, without control characters except line breaks",
        &lines(OrderNote::MAX_CHARS),
        "Please ring twice",
    )
}

pub(crate) fn display() -> Object {
    optional(
        "The name of the medication in the terminology: 1 to 200 characters after trimming, \
         without control characters",
        &line(CodeDisplay::MAX_CHARS),
        "Paracetamol",
    )
}

pub(crate) fn cancel_reason() -> Object {
    optional(
        "The reason: 1 to 500 characters after trimming, without control characters",
        &line(CancelReason::MAX_CHARS),
        "ordered by mistake",
    )
}

fn required(description: &str, pattern: &str, example: &str) -> Object {
    text(description, pattern, example).schema_type(Type::String).build()
}

/// Schema of an optional text. A missing member and `null` mean the same.
fn optional(description: &str, pattern: &str, example: &str) -> Object {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    text(description, pattern, example).schema_type(types).build()
}

fn text(description: &str, pattern: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new().description(Some(description)).pattern(Some(pattern)).examples([example])
}

/// Pattern of a text of one line.
fn line(max: usize) -> String {
    trimmed(&format!("[^{CONTROL}]"), max)
}

/// Pattern of a text of one or more lines. `\r\n` is one line break and counts as one character.
fn lines(max: usize) -> String {
    trimmed(&format!(r"(?:[^{CONTROL}]|\r?\n)"), max)
}

/// Pattern of one to `max` such characters with white space around them. The first and the last are
/// not white space.
fn trimmed(character: &str, max: usize) -> String {
    let end = format!("[^{BLANK}{CONTROL}]");
    format!("^[{BLANK}]*{end}(?:{character}{{0,{}}}{end})?[{BLANK}]*$", max - 2)
}

#[cfg(test)]
mod tests {
    use domain::ordering::TextError;
    use regex::Regex;

    use super::*;

    const CHARACTERS: &[&str] = &[
        "a", "é", "𝄞", " ", "\n", "\r\n", "\r", "\t", "\u{b}", "\0", "\u{1f}", "\u{7f}", "\u{85}",
        "\u{9f}", "\u{a0}", "\u{200b}", "\u{2003}", "\u{2028}", "\u{3000}", "\u{feff}",
    ];

    /// Texts of up to three of these characters, and texts of about the maximum length.
    fn texts(most: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        for a in CHARACTERS {
            texts.push((*a).to_owned());
            for b in CHARACTERS {
                texts.push(format!("{a}{b}"));
                texts.extend(CHARACTERS.iter().map(|c| format!("{a}{b}{c}")));
            }
            for length in [most - 2, most - 1, most] {
                let long = "é".repeat(length);
                texts.extend([format!("{a}{long}"), format!("{long}{a}"), format!("x{a}{long}")]);
            }
        }
        texts
    }

    fn assert_same<T>(pattern: &str, most: usize, parse: impl Fn(&str) -> Result<T, TextError>) {
        let pattern = Regex::new(pattern).unwrap();
        for text in texts(most) {
            assert_eq!(pattern.is_match(&text), parse(&text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn the_schema_allows_exactly_the_texts_that_the_api_accepts() {
        assert_same(&line(200), 200, str::parse::<CustomerName>);
        assert_same(&line(200), 200, str::parse::<CodeDisplay>);
        assert_same(&line(500), 500, str::parse::<CancelReason>);
        assert_same(&lines(1000), 1000, str::parse::<OrderNote>);
    }
}
