use crate::characters::{is_blank, is_blank_at_start, is_direction_control, is_private_use};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty, or empty after trimming: it shows as nothing.
    #[error("must not be empty")]
    Empty,
    /// It has too many characters. Unicode scalar values are counted, not bytes.
    #[error("must have at most {most} characters, but has {has}")]
    TooLong {
        /// The maximum number of characters.
        most: usize,
        /// The number of characters it has.
        has: usize,
    },
    /// It has a control character. People cannot read these, and not every database can store them.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// It may have several lines, and has a control character that is not a line break.
    #[error("must not contain control characters other than line breaks")]
    NoLineBreak,
    /// It has a character that changes the direction of the text. People would read something else
    /// than what is stored.
    #[error("must not contain U+{:04X}, which changes the direction of the text", u32::from(*.0))]
    DirectionControl(char),
    /// It has a private-use character, which has no meaning outside the program that wrote it.
    #[error("must not contain U+{:04X}, a private-use character", u32::from(*.0))]
    PrivateUse(char),
}

/// Whether a text may have several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Any,
}

/// Trims white space and characters that show as nothing. Refuses the text when it is empty, longer
/// than `most` characters, or has control characters, direction controls or private-use characters.
pub(crate) fn readable(text: &str, most: usize) -> Result<String, TextError> {
    parse(text, most, Lines::One)
}

/// Like [`readable`], but several lines are allowed. `\r\n` becomes `\n`.
pub(crate) fn readable_lines(text: &str, most: usize) -> Result<String, TextError> {
    parse(&text.replace("\r\n", "\n"), most, Lines::Any)
}

/// A text that was accepted earlier, perhaps by a version with fewer rules. Unchanged.
pub(crate) fn stored(text: &str, most: usize) -> Result<String, TextError> {
    check(text, most, Lines::One).map(str::to_owned)
}

/// Like [`stored`], but several lines are allowed.
pub(crate) fn stored_lines(text: &str, most: usize) -> Result<String, TextError> {
    check(text, most, Lines::Any).map(str::to_owned)
}

fn parse(text: &str, most: usize, lines: Lines) -> Result<String, TextError> {
    let text = text.trim_start_matches(is_blank_at_start).trim_end_matches(is_blank);
    check(text, most, lines)?;
    check_characters(text).map(|()| text.to_owned())
}

/// Refuses a text with direction controls or private-use characters.
pub(crate) fn check_characters(text: &str) -> Result<(), TextError> {
    match text
        .chars()
        .find(|character| is_direction_control(*character) || is_private_use(*character))
    {
        Some(found) if is_private_use(found) => Err(TextError::PrivateUse(found)),
        Some(found) => Err(TextError::DirectionControl(found)),
        None => Ok(()),
    }
}

/// The rules of all versions.
fn check(text: &str, most: usize, lines: Lines) -> Result<&str, TextError> {
    fits(text, most)?;
    match lines {
        Lines::One if text.chars().any(char::is_control) => Err(TextError::ControlCharacter),
        Lines::Any if text.chars().any(|c| c.is_control() && c != '\n') => {
            Err(TextError::NoLineBreak)
        }
        Lines::One | Lines::Any => Ok(text),
    }
}

/// Refuses a text that is empty or longer than `most` characters.
pub(crate) fn fits(text: &str, most: usize) -> Result<(), TextError> {
    match text.chars().count() {
        0 => Err(TextError::Empty),
        has if has > most => Err(TextError::TooLong { most, has }),
        _ => Ok(()),
    }
}

/// Defines a text with at most `$most` characters. `$parse` and `$restore` are the rules of this module
/// for texts of one line or of several lines.
macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident, $most:literal, $parse:ident, $restore:ident) => {
        $(#[$doc])*
        ///
        /// [`TextError`](crate::TextError) lists what is refused.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Maximum number of characters.
            pub const MAX_CHARS: usize = $most;

            /// The value from a store. Rules that were added after it was stored do not apply.
            ///
            /// # Errors
            /// When no version could have stored it.
            pub fn restore(text: &str) -> Result<Self, $crate::TextError> {
                $crate::text::$restore(text, Self::MAX_CHARS).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::TextError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::text::$parse(text, Self::MAX_CHARS).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_value;
