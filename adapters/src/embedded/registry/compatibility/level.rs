use std::str::FromStr;

use super::super::api_error::ApiError;

/// How the schemas of a subject may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Level {
    /// At will.
    None,
    /// The new one reads what the latest wrote.
    Backward,
    /// The new one reads what any before it wrote.
    BackwardTransitive,
    /// The latest reads what the new one writes.
    Forward,
    /// Each before it reads what the new one writes.
    ForwardTransitive,
    /// The new one and the latest read each other.
    Full,
    /// The new one and each before it read each other.
    FullTransitive,
}

impl Level {
    /// Where nothing else is set, as in Confluent's registry.
    pub(in super::super) const DEFAULT: Self = Self::Backward;

    /// All names.
    pub(in super::super) const NAMES: [&'static str; 7] = [
        Self::None.name(),
        Self::Backward.name(),
        Self::BackwardTransitive.name(),
        Self::Forward.name(),
        Self::ForwardTransitive.name(),
        Self::Full.name(),
        Self::FullTransitive.name(),
    ];

    /// Its name in the API.
    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    pub(super) const fn is_backward(self) -> bool {
        matches!(
            self,
            Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    pub(super) const fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }

    pub(super) const fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

impl FromStr for Level {
    type Err = ApiError;

    /// Reads a name, in capitals or not.
    fn from_str(text: &str) -> Result<Self, ApiError> {
        [
            Self::None,
            Self::Backward,
            Self::BackwardTransitive,
            Self::Forward,
            Self::ForwardTransitive,
            Self::Full,
            Self::FullTransitive,
        ]
        .into_iter()
        .find(|level| level.name().eq_ignore_ascii_case(text))
        .ok_or(ApiError::InvalidLevel)
    }
}
