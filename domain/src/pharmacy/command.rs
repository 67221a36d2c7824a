use super::{PharmacyFact, Rejection, RejectionText};

/// What a pharmacist can do with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Confirm that it can be prepared.
    Confirm,
    /// Start to prepare it.
    Start,
    /// Mark it as ready for the customer.
    MarkReady,
    /// Hand it to the customer.
    Dispense,
    /// Refuse to dispense it.
    Reject(Rejection),
}

/// A [`Command`] without its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// [`Command::Confirm`].
    Confirm,
    /// [`Command::Start`].
    Start,
    /// [`Command::MarkReady`].
    MarkReady,
    /// [`Command::Dispense`].
    Dispense,
    /// [`Command::Reject`].
    Reject,
}

impl Command {
    /// The command without its arguments.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Confirm => Action::Confirm,
            Self::Start => Action::Start,
            Self::MarkReady => Action::MarkReady,
            Self::Dispense => Action::Dispense,
            Self::Reject(_) => Action::Reject,
        }
    }

    /// The same without the texts of people, for an order that is redacted already.
    pub(super) fn redacted(self) -> Self {
        match self {
            Self::Reject(Rejection { code, text: _ }) => {
                Self::Reject(Rejection { code, text: RejectionText::redacted() })
            }
            command @ (Self::Confirm | Self::Start | Self::MarkReady | Self::Dispense) => command,
        }
    }

    /// What happens when the command is carried out.
    pub(super) fn fact(self) -> PharmacyFact {
        match self {
            Self::Confirm => PharmacyFact::Confirmed,
            Self::Start => PharmacyFact::PreparationStarted,
            Self::MarkReady => PharmacyFact::Ready,
            Self::Dispense => PharmacyFact::Dispensed,
            Self::Reject(rejection) => PharmacyFact::Rejected(rejection),
        }
    }
}
