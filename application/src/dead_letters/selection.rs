use super::{DeadLetterFilter, FilterError};

/// Which dead letters an operator wants to retry or discard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection<Id> {
    /// Those with these ids.
    Ids(Vec<Id>),
    /// Those that are open and match; the default filter means all that are open.
    Matching(DeadLetterFilter),
}

/// A selection as it is given on the command line or in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionArgs<Id> {
    /// The ids of the dead letters.
    pub ids: Vec<Id>,
    /// Whether all that are open are meant.
    pub all: bool,
    /// What the reason must contain.
    pub reason: Option<String>,
    /// The type that the event must have.
    pub event_type: Option<String>,
}

/// Why arguments are no selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Nothing is selected.
    #[error("select dead letters by their ids, by reason, by event type, or select all of them")]
    Nothing,
    /// Two of the ways are mixed.
    #[error(
        "select dead letters in one way only: by their ids, all of them, or by reason and event type"
    )]
    Mixed,
    /// A filter is empty.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

impl<Id> Default for SelectionArgs<Id> {
    fn default() -> Self {
        Self { ids: Vec::new(), all: false, reason: None, event_type: None }
    }
}

impl<Id> TryFrom<SelectionArgs<Id>> for Selection<Id> {
    type Error = SelectionError;

    fn try_from(args: SelectionArgs<Id>) -> Result<Self, SelectionError> {
        let SelectionArgs { ids, all, reason, event_type } = args;
        let filtered = reason.is_some() || event_type.is_some();
        match (ids.is_empty(), all, filtered) {
            (true, false, false) => return Err(SelectionError::Nothing),
            (false, false, false) => return Ok(Self::Ids(ids)),
            (true, true, false) | (true, false, true) => {}
            _ => return Err(SelectionError::Mixed),
        }
        let filter = DeadLetterFilter::of(reason.as_deref(), event_type.as_deref())?;
        Ok(Self::Matching(filter))
    }
}
