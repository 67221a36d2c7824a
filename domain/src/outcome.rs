/// What a command or an event did to an aggregate.
///
/// Commands and events may be repeated. A repeat changes nothing and returns `AlreadyApplied`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a repeated command must not be handled like the first one"]
pub enum Outcome {
    /// The aggregate changed.
    Applied,
    /// The command or event was applied before. Nothing changed and no event was recorded.
    AlreadyApplied,
}

impl Outcome {
    /// Whether the aggregate changed.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Applied)
    }
}
