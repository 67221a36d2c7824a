/// What a command or an event did to an aggregate.
///
/// Commands and events may be repeated; the second time changes nothing and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a repeated command must not be answered as if it had been the first"]
pub enum Outcome {
    /// The aggregate changed.
    Applied,
    /// It had happened before; nothing changed and nothing was recorded.
    AlreadyApplied,
}

impl Outcome {
    /// Whether the aggregate changed.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Applied)
    }
}
