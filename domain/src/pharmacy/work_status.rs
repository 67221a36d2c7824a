use super::{Action, Rejection, RejectionText};

/// The status of the pharmacy's work on an order.
///
/// Each status has a counterpart in FHIR R4's `MedicationDispense.status`
/// (<https://hl7.org/fhir/R4/valueset-medicationdispense-status.html>), except the first two: nothing
/// is dispensed yet, so there is no `MedicationDispense`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WorkStatus {
    /// A pharmacist has to review it.
    Draft,
    /// A pharmacist has reviewed it, and it can be prepared.
    Confirmed,
    /// It is being prepared. FHIR: `preparation`.
    InPreparation,
    /// The customer can pick it up. FHIR: `in-progress`.
    Ready,
    /// The customer has it. This is final. FHIR: `completed`.
    Dispensed,
    /// The pharmacy does not dispense it. This is final. FHIR: `declined`.
    Rejected(Rejection),
    /// The customer has cancelled it before it was dispensed. This is final. FHIR: `cancelled`.
    Cancelled,
}

impl WorkStatus {
    /// The actions that are allowed now.
    #[must_use]
    pub const fn allowed_actions(&self) -> &'static [Action] {
        match self {
            Self::Draft => &[Action::Confirm, Action::Reject],
            Self::Confirmed => &[Action::Start, Action::Reject],
            Self::InPreparation => &[Action::MarkReady, Action::Reject],
            Self::Ready => &[Action::Dispense],
            Self::Dispensed | Self::Rejected(_) | Self::Cancelled => &[],
        }
    }

    /// Replaces the text of a rejection.
    pub(super) fn redact_texts(&mut self) {
        if let Self::Rejected(Rejection { text, .. }) = self {
            *text = RejectionText::redacted();
        }
    }

    /// Whether the status never changes again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        self.allowed_actions().is_empty()
    }
}
