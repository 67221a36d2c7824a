use std::collections::BTreeSet;

use super::LetterKind;

/// Which letters a customer wants. By default, all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    declined: BTreeSet<LetterKind>,
}

/// The error for a letter that customers cannot decline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("letters about a rejection or a cancellation cannot be declined")]
pub struct MandatoryLetter;

impl Preferences {
    /// The preferences of a customer who does not want these letters.
    ///
    /// # Errors
    /// When one of them is mandatory.
    pub fn without(
        declined: impl IntoIterator<Item = LetterKind>,
    ) -> Result<Self, MandatoryLetter> {
        let declined: BTreeSet<_> = declined.into_iter().collect();
        if declined.iter().any(|kind| kind.is_mandatory()) {
            return Err(MandatoryLetter);
        }
        Ok(Self { declined })
    }

    /// Whether the customer wants this letter.
    #[must_use]
    pub fn wants(&self, kind: LetterKind) -> bool {
        !self.declined.contains(&kind)
    }

    /// The letters that the customer does not want.
    pub fn declined(&self) -> impl Iterator<Item = LetterKind> + '_ {
        self.declined.iter().copied()
    }
}
