//! What is replaced when the data of a customer are erased: the name, the note, and what customers and
//! pharmacists wrote about the order. Items, statuses, times and the opaque id of the customer stay.

use super::{
    CancelReason, Cancellation, CustomerName, OrderCancellationRequested, OrderCancelled,
    OrderCreated, OrderFact, OrderSnapshot, Progress, Rejection, RejectionText,
};

impl OrderSnapshot {
    /// Replaces the texts of people by [`REDACTED_TEXT`](crate::REDACTED_TEXT), and drops the note. This
    /// is not a change of the order: see [`Order::redact`](super::Order::redact).
    pub fn redact_texts(&mut self) {
        self.customer_name = CustomerName::redacted();
        self.note = None;
        if let Progress::Rejected(Rejection { text, .. }) = &mut self.progress {
            *text = RejectionText::redacted();
        }
        if let Some(Cancellation::Requested { reason, .. } | Cancellation::Granted { reason, .. }) =
            &mut self.cancellation
        {
            *reason = CancelReason::redacted();
        }
    }
}

impl OrderFact {
    /// The same without the texts of people, for an order that is redacted already.
    pub(super) fn redacted(self) -> Self {
        match self {
            Self::Created(OrderCreated { customer_id, customer_name: _, items, note: _ }) => {
                let customer_name = CustomerName::redacted();
                Self::Created(OrderCreated { customer_id, customer_name, items, note: None })
            }
            Self::Rejected(Rejection { code, text: _ }) => {
                Self::Rejected(Rejection { code, text: RejectionText::redacted() })
            }
            Self::CancellationRequested(OrderCancellationRequested { reason: _ }) => {
                let reason = CancelReason::redacted();
                Self::CancellationRequested(OrderCancellationRequested { reason })
            }
            Self::Cancelled(OrderCancelled { reason: _ }) => {
                Self::Cancelled(OrderCancelled { reason: CancelReason::redacted() })
            }
            fact @ (Self::Confirmed
            | Self::Ready
            | Self::Completed
            | Self::CancellationDeclined
            | Self::Redacted) => fact,
        }
    }
}
