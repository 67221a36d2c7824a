/// A letter to a customer about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LetterKind {
    /// The order was received.
    Received,
    /// The pharmacy has confirmed it.
    Confirmed,
    /// The customer can pick it up.
    Ready,
    /// The customer has it.
    Completed,
    /// The pharmacy does not dispense it.
    Rejected,
    /// It was cancelled.
    Cancelled,
    /// The pharmacy has declined to cancel it.
    CancellationDeclined,
}

impl LetterKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Received,
        Self::Confirmed,
        Self::Ready,
        Self::Completed,
        Self::Rejected,
        Self::Cancelled,
        Self::CancellationDeclined,
    ];

    /// The name as a text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Confirmed => "confirmed",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::CancellationDeclined => "cancellation_declined",
        }
    }

    /// Whether every customer with a contact gets it: without it, the customer would wait for an order
    /// that never comes.
    #[must_use]
    pub const fn is_mandatory(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled)
    }
}
