//! JSON Schemas of the texts in requests, as exact as JSON Schema allows.
//!
//! Most texts are trimmed, and the limits of their length apply afterwards. `minLength` and
//! `maxLength` cannot express this, so the schemas use a pattern.
//!
//! Characters above U+FFFF are themselves in a pattern: the dialects of regular expressions have no
//! common escape for them. JSON Schema compares whole characters, not halves of them.

use domain::notification::WebhookDescription;
use domain::ordering::{CancelReason, Code, CodeDisplay, CustomerName, OrderNote};
use domain::pharmacy::RejectionText;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

/// The white space of Unicode and the characters that show as nothing, as the content of a
/// character class. They are trimmed.
const BLANK: &str = concat!(
    r"\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000",
    r"\u00AD\u115F\u1160\u17B4\u17B5\u180E\u200B\u2060-\u2065\u206A-\u206F\u2800\u3164",
    r"\uFEFF\uFFA0\uFFF0-\uFFFB",
    "\u{1BCA0}-\u{1BCA3}\u{1D159}\u{1D173}-\u{1D17A}",
);

/// The joiners, variation selectors and tags of Unicode, as the content of a character class. They
/// are trimmed at the start, where there is no character that they can change.
const MODIFIERS: &str =
    concat!(r"\u034F\u180B-\u180D\u180F\u200C\u200D\uFE00-\uFE0F", "\u{E0000}-\u{E0FFF}");

/// The control characters, direction controls and private-use characters of Unicode, as the content
/// of a character class.
const REFUSED: &str = concat!(
    r"\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uE000-\uF8FF",
    "\u{F0000}-\u{10FFFF}",
);

/// What the pattern of every text says, for people.
const READABLE: &str = "characters after trimming, at least one of them visible. Control \
                        characters, direction controls (U+061C, U+200E, U+200F, U+202A to U+202E, \
                        U+2066 to U+2069) and private-use characters are refused";

/// The name of a customer.
#[must_use]
pub fn customer_name() -> Object {
    required(
        &format!("The name of the customer: 1 to 200 {READABLE}"),
        &line(CustomerName::MAX_CHARS),
        "Ada Lovelace",
    )
}

/// The note of an order.
#[must_use]
pub fn note() -> Object {
    optional(
        &format!("A note: 1 to 1000 {READABLE}, but line breaks are allowed"),
        &lines(OrderNote::MAX_CHARS),
        "Please ring twice",
    )
}

/// The code of a medication.
#[must_use]
pub fn code() -> Object {
    let description = "The code of the medication in the terminology: 1 to 64 visible characters. \
                       It is not trimmed, and the only white space allowed is a single space \
                       between other characters. Control characters, invisible characters, \
                       direction controls and private-use characters are refused";
    let code = text(description, &words(), "387517004").schema_type(Type::String);
    code.min_length(Some(1)).max_length(Some(Code::MAX_CHARS)).build()
}

/// The name of a medication.
#[must_use]
pub fn display() -> Object {
    optional(
        &format!("The name of the medication in the terminology: 1 to 200 {READABLE}"),
        &line(CodeDisplay::MAX_CHARS),
        "Paracetamol",
    )
}

/// The reason of a cancellation.
#[must_use]
pub fn cancel_reason() -> Object {
    optional(
        &format!("The reason: 1 to 500 {READABLE}"),
        &line(CancelReason::MAX_CHARS),
        "ordered by mistake",
    )
}

/// The text of a rejection.
#[must_use]
pub fn rejection_text() -> Object {
    required(
        &format!("The reason in words, for the customer: 1 to 500 {READABLE}"),
        &line(RejectionText::MAX_CHARS),
        "We get it again next week",
    )
}

/// The description of a webhook.
#[must_use]
pub fn webhook_description() -> Object {
    optional(
        &format!("What the webhook is for: 1 to 200 {READABLE}"),
        &line(WebhookDescription::MAX_CHARS),
        "The shop",
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
    trimmed(&format!("[^{REFUSED}]"), max)
}

/// Pattern of a text of one or more lines. `\r\n` is one line break and counts as one character.
fn lines(max: usize) -> String {
    trimmed(&format!(r"(?:[^{REFUSED}]|\r?\n)"), max)
}

/// Pattern of visible characters with single spaces between them.
fn words() -> String {
    let word = format!("[^{BLANK}{MODIFIERS}{REFUSED}]+");
    format!("^{word}( {word})*$")
}

/// Pattern of one to `max` such characters, with what is trimmed around them. The first is visible.
fn trimmed(character: &str, max: usize) -> String {
    let first = format!("[^{BLANK}{MODIFIERS}{REFUSED}]");
    let last = format!("[^{BLANK}{REFUSED}]");
    format!("^[{BLANK}{MODIFIERS}]*{first}(?:{character}{{0,{}}}{last})?[{BLANK}]*$", max - 2)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const CHARACTERS: &[&str] = &[
        "a",
        "é",
        "𝄞",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\u{b}",
        "\0",
        "\u{1f}",
        "\u{7f}",
        "\u{85}",
        "\u{9f}",
        "\u{a0}",
        "\u{200b}",
        "\u{2003}",
        "\u{2028}",
        "\u{3000}",
        "\u{feff}",
        "\u{ad}",
        "\u{200d}",
        "\u{202e}",
        "\u{e000}",
        "\u{e0041}",
        "\u{10ffff}",
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

    fn assert_same<T, E>(pattern: &str, most: usize, parse: impl Fn(&str) -> Result<T, E>) {
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
        assert_same(&line(500), 500, str::parse::<RejectionText>);
        assert_same(&lines(1000), 1000, str::parse::<OrderNote>);
    }

    #[test]
    fn the_schema_of_a_code_allows_exactly_the_codes_that_the_api_accepts() {
        let pattern = Regex::new(&words()).unwrap();
        for text in texts(Code::MAX_CHARS) {
            let fits = text.chars().count() <= Code::MAX_CHARS;
            let allowed = fits && pattern.is_match(&text);
            assert_eq!(allowed, text.parse::<Code>().is_ok(), "{text:?}");
        }
        for character in '\0'..=char::MAX {
            let text = format!("a{character}b");
            assert_eq!(pattern.is_match(&text), text.parse::<Code>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn the_schema_treats_each_character_of_unicode_as_the_api_does() {
        let class = |content: &str| Regex::new(&format!("^[{content}]$")).unwrap();
        let (blank, modifiers, refused) = (class(BLANK), class(MODIFIERS), class(REFUSED));
        let invisible = class(concat!(
            r"\p{White_Space}\p{Default_Ignorable_Code_Point}",
            r"\u2800\uFFF9-\uFFFB\U0001D159",
        ));
        let unreadable = class(r"\p{Control}\p{Private_Use}\p{Bidi_Control}");
        let kept = |text: &str| text.parse::<CustomerName>().map(|name| name.as_str().to_owned());
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            let inside = kept(&format!("a{text}b"));
            assert_eq!(refused.is_match(&text), inside.is_err(), "{character:?} in a text");
            let at_start = kept(&format!("{text}b")).is_ok_and(|kept| kept == "b");
            let trimmed = blank.is_match(&text) || modifiers.is_match(&text);
            assert_eq!(trimmed, at_start, "{character:?} at the start");
            let at_end = kept(&format!("a{text}")).is_ok_and(|kept| kept == "a");
            assert_eq!(blank.is_match(&text), at_end, "{character:?} at the end");
            // The tables agree with Unicode.
            let refused_inside = unreadable.is_match(&text) || u32::from(character) >= 0xF_0000;
            assert_eq!(refused_inside, inside.is_err(), "{character:?}");
            let trimmed =
                invisible.is_match(&text) && (!refused_inside || character.is_whitespace());
            assert_eq!(trimmed, at_start, "{character:?}");
        }
    }
}
