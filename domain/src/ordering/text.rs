/// Why a text a person wrote is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is there, or nothing is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More characters than fit, counted as Unicode scalar values, not bytes.
    #[error("must have at most {most} characters, this has {has}")]
    TooLong {
        /// The most characters it may have.
        most: usize,
        /// The characters it has.
        has: usize,
    },
    /// A control character, which no one can read and not every store can keep.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A control character in a text that may have several lines, and none that begins a new one.
    #[error("must not contain control characters other than line breaks")]
    NoLineBreak,
}

/// Trims `text` and refuses it when it is empty, longer than `most` characters, or unreadable.
pub(super) fn readable(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    fits(text, most)?;
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.to_owned())
}

/// As [`readable`], of any number of lines. A line ends with `\n`, also where it ended with `\r\n`.
pub(super) fn readable_lines(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    fits(text, most)?;
    if text.chars().any(|character| character.is_control() && character != '\n') {
        return Err(TextError::NoLineBreak);
    }
    Ok(text.to_owned())
}

/// Refuses a text that is empty or longer than `most` characters.
pub(super) fn fits(text: &str, most: usize) -> Result<(), TextError> {
    match text.chars().count() {
        0 => Err(TextError::Empty),
        has if has > most => Err(TextError::TooLong { most, has }),
        _ => Ok(()),
    }
}
