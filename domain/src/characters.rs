//! Classes of characters that matter for texts that people read. Unassigned characters are in no
//! class: the next version of Unicode may assign them.

use std::ops::RangeInclusive;

/// Characters that show as nothing: Unicode's default-ignorable characters, and the other fillers
/// and marks without a glyph.
const INVISIBLE: [RangeInclusive<char>; 15] = [
    '\u{ad}'..='\u{ad}',       // soft hyphen
    '\u{115f}'..='\u{1160}',   // Hangul fillers
    '\u{17b4}'..='\u{17b5}',   // Khmer inherent vowels
    '\u{180e}'..='\u{180e}',   // Mongolian vowel separator
    '\u{200b}'..='\u{200b}',   // zero-width space
    '\u{2060}'..='\u{2065}',   // word joiner, invisible operators
    '\u{206a}'..='\u{206f}',   // deprecated format characters
    '\u{2800}'..='\u{2800}',   // Braille blank
    '\u{3164}'..='\u{3164}',   // Hangul filler
    '\u{feff}'..='\u{feff}',   // byte order mark
    '\u{ffa0}'..='\u{ffa0}',   // halfwidth Hangul filler
    '\u{fff0}'..='\u{fffb}',   // unassigned specials, interlinear annotation
    '\u{1bca0}'..='\u{1bca3}', // shorthand format controls
    '\u{1d159}'..='\u{1d159}', // musical null notehead
    '\u{1d173}'..='\u{1d17a}', // musical format controls
];

/// Characters that only change how their neighbour before them is shown. Names in Persian,
/// Malayalam or Japanese end with them, and so do emoji.
const MODIFIERS: [RangeInclusive<char>; 6] = [
    '\u{34f}'..='\u{34f}',     // combining grapheme joiner
    '\u{180b}'..='\u{180d}',   // Mongolian variation selectors
    '\u{180f}'..='\u{180f}',   // Mongolian variation selector
    '\u{200c}'..='\u{200d}',   // joiners
    '\u{fe00}'..='\u{fe0f}',   // variation selectors
    '\u{e0000}'..='\u{e0fff}', // tags, more variation selectors
];

/// Unicode's `Bidi_Control`. A text with these can show its characters in another sequence than it
/// has them, and can do so to the text around it.
const DIRECTION_CONTROLS: [RangeInclusive<char>; 4] = [
    '\u{61c}'..='\u{61c}',
    '\u{200e}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2066}'..='\u{2069}',
];

/// Private-use characters: every program and font shows something else.
const PRIVATE_USE: [RangeInclusive<char>; 2] =
    ['\u{e000}'..='\u{f8ff}', '\u{f0000}'..='\u{10ffff}'];

/// Whether it shows as nothing, whatever is before it.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || contains(&INVISIBLE, character)
}

/// Whether a text that begins with it shows nothing of it.
pub(crate) fn is_blank_at_start(character: char) -> bool {
    is_blank(character) || contains(&MODIFIERS, character)
}

pub(crate) fn is_direction_control(character: char) -> bool {
    contains(&DIRECTION_CONTROLS, character)
}

pub(crate) fn is_private_use(character: char) -> bool {
    contains(&PRIVATE_USE, character)
}

fn contains(ranges: &[RangeInclusive<char>], character: char) -> bool {
    ranges.iter().any(|range| range.contains(&character))
}
