/// What an act did about one dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActResult<Id> {
    /// The dead letter.
    pub id: Id,
    /// What became of it.
    pub outcome: ActOutcome,
}

/// What became of a dead letter that an operator wanted to retry or discard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActOutcome {
    /// It is retried: a record has been consumed, an event is to be published again.
    Retried,
    /// It is discarded.
    Discarded,
    /// Its content still cannot be processed; it stays open.
    StillDead {
        /// Why, which is recorded as its new reason.
        reason: String,
    },
    /// There is none of this id, or it was retried or discarded before.
    NotOpen,
}

impl ActOutcome {
    /// Whether what the operator wanted was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Retried | Self::Discarded)
    }
}
