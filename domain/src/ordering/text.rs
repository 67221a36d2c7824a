/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty, or empty after trimming.
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
}

/// Trims `text`. Refuses it when it is empty, longer than `most` characters, or has control
/// characters.
pub(super) fn readable(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    fits(text, most)?;
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.to_owned())
}

/// Like [`readable`], but several lines are allowed. `\r\n` becomes `\n`.
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
