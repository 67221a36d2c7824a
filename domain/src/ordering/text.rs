/// Why a text a person wrote is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left after trimming.
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
}

/// Trims `text` and refuses it when it is empty, longer than `most` characters, or unreadable.
pub(super) fn readable(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    let has = text.chars().count();
    if has > most {
        return Err(TextError::TooLong { most, has });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.to_owned())
}
