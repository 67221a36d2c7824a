//! Texts that people read: what is trimmed, what is refused, and what is kept.

use domain::TextError;
use domain::ordering::{CancelReason, CodeDisplay, CustomerName, OrderNote, RejectionText};
use proptest::prelude::*;

use crate::generators as arbitrary;

/// Unicode's `Bidi_Control`.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(u32::from(c), 0x61C | 0x200E..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069)
}

/// Unicode's `Default_Ignorable_Code_Point`, without `Bidi_Control`; and others without a glyph.
pub(crate) fn is_ignorable(c: char) -> bool {
    let default_ignorable = matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF);
    let others = matches!(u32::from(c), 0x2800 | 0xFFF9..=0xFFFB | 0x1D159);
    (default_ignorable || others) && !is_bidi_control(c)
}

/// Joiners, variation selectors and tags: they change the character before them.
fn is_modifier(c: char) -> bool {
    matches!(u32::from(c),
        0x34F | 0x180B..=0x180D | 0x180F | 0x200C..=0x200D | 0xFE00..=0xFE0F | 0xE0000..=0xE0FFF)
}

pub(crate) fn is_private_use(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..)
}

/// The text that is kept, or why it is refused.
fn expected(text: &str, most: usize, control: TextError) -> Result<String, TextError> {
    let start = |c: char| c.is_whitespace() || is_ignorable(c);
    let end = |c: char| start(c) && !is_modifier(c);
    let text = text.trim_start_matches(start).trim_end_matches(end);
    let has = text.chars().count();
    let refused = |c: &char| is_bidi_control(*c) || is_private_use(*c);
    let is_line_break = |c| c == '\n' && control == TextError::NoLineBreak;
    match text.chars().find(refused) {
        _ if has == 0 => Err(TextError::Empty),
        _ if has > most => Err(TextError::TooLong { most, has }),
        _ if text.chars().any(|c| c.is_control() && !is_line_break(c)) => Err(control),
        Some(c) if is_bidi_control(c) => Err(TextError::DirectionControl(c)),
        Some(c) => Err(TextError::PrivateUse(c)),
        None => Ok(text.to_owned()),
    }
}

proptest! {
    #[test]
    fn a_text_is_accepted_exactly_when_people_can_read_it_and_it_fits(text in arbitrary::text()) {
        let expected = |most: usize| expected(&text, most, TextError::ControlCharacter);
        let name = text.parse::<CustomerName>().map(|name| name.as_str().to_owned());
        prop_assert_eq!(name, expected(200));
        let reason = text.parse::<CancelReason>().map(|reason| reason.as_str().to_owned());
        prop_assert_eq!(reason, expected(500));
        let rejection = text.parse::<RejectionText>().map(|text| text.as_str().to_owned());
        prop_assert_eq!(rejection, expected(500));
        let display = text.parse::<CodeDisplay>().map(|display| display.as_str().to_owned());
        prop_assert_eq!(display, expected(200));
    }

    #[test]
    fn a_note_is_accepted_exactly_when_people_can_read_its_lines_and_it_fits(
        text in arbitrary::text(),
    ) {
        // A line ends with `\r\n` or with `\n`.
        let lines: Vec<&str> = text.split("\r\n").flat_map(|line| line.split('\n')).collect();
        let note = text.parse::<OrderNote>().map(|note| note.as_str().to_owned());
        prop_assert_eq!(note, expected(&lines.join("\n"), 1000, TextError::NoLineBreak));
    }

    #[test]
    fn every_accepted_text_is_restored_from_a_store_unchanged(text in arbitrary::text()) {
        fn check<T: PartialEq + std::fmt::Debug + ToString, E: PartialEq + std::fmt::Debug>(
            parsed: Result<T, E>,
            restore: impl Fn(&str) -> Result<T, E>,
        ) {
            if let Ok(value) = parsed {
                assert_eq!(restore(&value.to_string()), Ok(value));
            }
        }
        check(text.parse(), CustomerName::restore);
        check(text.parse(), CancelReason::restore);
        check(text.parse(), CodeDisplay::restore);
        check(text.parse(), OrderNote::restore);
    }
}

#[test]
fn the_length_of_a_name_is_counted_in_characters_not_bytes() {
    assert!("薬".repeat(200).parse::<CustomerName>().is_ok());
    assert_eq!(
        "薬".repeat(201).parse::<CustomerName>(),
        Err(TextError::TooLong { most: 200, has: 201 })
    );
}

#[test]
fn a_note_keeps_its_lines_with_either_line_ending() {
    let read = |text: &str| text.parse::<OrderNote>().map(|note| note.to_string());
    assert_eq!(read("\r\n one\r\n\r\ntwo\nthree \n").unwrap(), "one\n\ntwo\nthree");
    for refused in ["one\rtwo", "one\ttwo", "one\u{b}two", "one\u{85}two", "a\u{0}b"] {
        assert_eq!(read(refused), Err(TextError::NoLineBreak), "{refused:?}");
    }
    assert!(read(&"薬".repeat(1000)).is_ok());
    let too_long = TextError::TooLong { most: 1000, has: 1001 };
    assert_eq!(read(&"薬".repeat(1001)), Err(too_long));
}

#[test]
fn a_text_that_shows_as_nothing_is_empty() {
    for text in [
        "\u{200b}",
        "\u{2060}",
        "\u{ad}",
        "\u{feff}",
        "\u{3164}",
        "\u{2800}",
        "\u{200d}",
        "\u{fe0f}",
        "\u{e0041}",
        " \u{115f}\u{1160} \u{180e}\u{200c}\t",
        "\u{2800}\u{3000}\u{2800}",
    ] {
        assert_eq!(text.parse::<CustomerName>(), Err(TextError::Empty), "{text:?}");
        assert_eq!(text.parse::<CodeDisplay>(), Err(TextError::Empty), "{text:?}");
        assert_eq!(text.parse::<CancelReason>(), Err(TextError::Empty), "{text:?}");
        assert_eq!(
            format!("{text}\n{text}").parse::<OrderNote>(),
            Err(TextError::Empty),
            "{text:?}"
        );
    }
}

#[test]
fn a_text_that_would_be_read_in_another_sequence_is_refused() {
    let controls = ['\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}', '\u{200e}'..='\u{200f}'];
    for control in controls.into_iter().flatten().chain(['\u{61c}']) {
        for text in
            [format!("Ada{control}ecalevoL"), format!("{control}Ada"), format!("Ada{control}")]
        {
            assert_eq!(text.parse::<CustomerName>(), Err(TextError::DirectionControl(control)));
            assert_eq!(text.parse::<OrderNote>(), Err(TextError::DirectionControl(control)));
        }
    }
    let error = "\u{202e}Ada".parse::<CustomerName>().unwrap_err().to_string();
    assert_eq!(error, "must not contain U+202E, which changes the direction of the text");
    let error = "Ada \u{f8ff}".parse::<CustomerName>().unwrap_err().to_string();
    assert_eq!(error, "must not contain U+F8FF, a private-use character");
}

#[test]
fn names_of_all_languages_are_kept_unchanged() {
    for name in [
        "مریم میرزاخانی",
        "علی‌رضا", // Persian, with a zero-width non-joiner
        "עדה לבלייס",
        "क्‍षितिज र्‌य",      // Hindi, with a joiner and a non-joiner
        "രാജന്\u{200d}",    // Malayalam, ends with a joiner
        "辻\u{e0100}",    // Japanese, a variant of a character
        "សុខា\u{200b}សុភា", // Khmer, words separated by a zero-width space
        "👩\u{200d}🔬 Ada ❤\u{fe0f}",
        "Ada 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "o\u{ad}range",
    ] {
        assert_eq!(name.parse::<CustomerName>().unwrap().as_str(), name);
    }
}

#[test]
fn what_shows_as_nothing_is_trimmed_like_white_space() {
    for text in ["\u{feff}Ada", "\u{200b} Ada \u{200b}\u{ad} ", "\u{200d}\u{fe0f}Ada\u{3164}"] {
        assert_eq!(text.parse::<CustomerName>().unwrap().as_str(), "Ada", "{text:?}");
    }
}

#[test]
fn a_text_that_an_earlier_version_accepted_can_be_restored() {
    for text in ["\u{200b}", "\u{202e}Ada", "\u{f8ff}", "Ada\u{feff}"] {
        assert_eq!(CustomerName::restore(text).unwrap().as_str(), text);
        assert_eq!(CancelReason::restore(text).unwrap().as_str(), text);
        assert_eq!(CodeDisplay::restore(text).unwrap().as_str(), text);
        assert_eq!(OrderNote::restore(text).unwrap().as_str(), text);
    }
    for text in ["", "A\u{7}da", &"a".repeat(1001)] {
        assert!(CustomerName::restore(text).is_err(), "{text:?}");
        assert!(OrderNote::restore(text).is_err(), "{text:?}");
    }
}
