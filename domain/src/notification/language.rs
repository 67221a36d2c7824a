use std::fmt;
use std::str::FromStr;

/// A language in which letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
}

/// The error for a text that is not the code of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `en`, `de` or `fr`")]
pub struct LanguageError;

impl Language {
    /// All languages.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Fr];

    /// The code of ISO 639-1.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|language| language.as_str() == text).ok_or(LanguageError)
    }
}
