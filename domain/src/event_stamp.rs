use crate::{EventId, Timestamp};

/// The id and time of an event that a command may record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStamp {
    /// The id of the event.
    pub event_id: EventId,
    /// When it happens.
    pub at: Timestamp,
}
