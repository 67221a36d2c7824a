//! Codes of medications: what is accepted, and what can be restored from a store.

use domain::TextError;
use domain::ordering::{Code, CodeError};
use proptest::prelude::*;

use crate::generators as arbitrary;
use crate::texts::{is_bidi_control, is_ignorable, is_private_use};

/// The rules of all versions: what FHIR allows, without control characters, if it fits.
fn restored(text: &str) -> Result<String, CodeError> {
    // Words joined by single spaces are the same text.
    let words: Vec<&str> = text.split_whitespace().collect();
    match text.chars().count() {
        0 => Err(CodeError::Text(TextError::Empty)),
        has if has > 64 => Err(CodeError::Text(TextError::TooLong { most: 64, has })),
        _ if words.join(" ") != text => Err(CodeError::Whitespace),
        _ if text.contains(char::is_control) => Err(CodeError::Text(TextError::ControlCharacter)),
        _ => Ok(text.to_owned()),
    }
}

/// The rules for new codes: each character can be seen, and means the same for all readers.
fn accepted(text: &str) -> Result<String, CodeError> {
    let text = restored(text)?;
    let unreadable = |c: &char| is_bidi_control(*c) || is_private_use(*c);
    match (text.chars().find(|c| is_ignorable(*c)), text.chars().find(unreadable)) {
        (Some(c), _) => Err(CodeError::Invisible(c)),
        (_, Some(c)) if is_bidi_control(c) => Err(TextError::DirectionControl(c).into()),
        (_, Some(c)) => Err(TextError::PrivateUse(c).into()),
        (None, None) => Ok(text),
    }
}

proptest! {
    #[test]
    fn a_code_is_accepted_exactly_when_it_is_valid_in_fhir_and_people_can_see_all_of_it(
        text in prop_oneof![arbitrary::symbol(), arbitrary::text()],
    ) {
        let code = text.parse::<Code>().map(|code| code.as_str().to_owned());
        prop_assert_eq!(code, accepted(&text));
        let code = Code::restore(&text).map(|code| code.as_str().to_owned());
        prop_assert_eq!(code, restored(&text));
    }
}

#[test]
fn a_code_with_a_character_that_people_cannot_see_or_read_is_refused_and_can_be_restored() {
    for (text, reason) in [
        ("\u{200b}", "must not contain U+200B, which is invisible"),
        ("387517004\u{feff}", "must not contain U+FEFF, which is invisible"),
        ("\u{ad}387517004", "must not contain U+00AD, which is invisible"),
        ("3875\u{200d}17004", "must not contain U+200D, which is invisible"),
        ("a \u{2800} b", "must not contain U+2800, which is invisible"),
        ("4\u{202e}17", "must not contain U+202E, which changes the direction of the text"),
        ("4\u{f8ff}", "must not contain U+F8FF, a private-use character"),
    ] {
        assert_eq!(text.parse::<Code>().unwrap_err().to_string(), reason, "{text:?}");
        assert_eq!(Code::restore(text).unwrap().as_str(), text);
    }
    for text in ["", " 1", "1  2", "1\u{2003}2", "1\u{7}", &"1".repeat(65)] {
        assert!(Code::restore(text).is_err(), "{text:?}");
    }
}

#[test]
fn codes_of_all_languages_are_accepted() {
    for code in ["387517004", "N02BE01", "0.5 mg/ml", "対乙酰氨基酚", "ПАРА-12", "עדה 7"]
    {
        assert_eq!(code.parse::<Code>().unwrap().as_str(), code);
    }
}
