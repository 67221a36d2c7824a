//! What each event does to the state of an order. An event that is not possible changes nothing, so an
//! order is never both cancelled and completed, and each type of event occurs at most once.

use super::{
    CancelReason, Cancellation, OrderCancellationRequested, OrderCancelled, OrderFact,
    OrderSnapshot, Progress, StatusChange, StatusName,
};
use crate::{Outcome, Timestamp};

impl OrderSnapshot {
    pub(super) fn apply(&mut self, fact: &OrderFact, at: Timestamp) -> Outcome {
        match fact {
            OrderFact::Created(_) => Outcome::AlreadyApplied,
            OrderFact::Confirmed => self.advance(Progress::Confirmed, at),
            OrderFact::Ready => self.advance(Progress::Ready, at),
            OrderFact::Completed => self.advance(Progress::Completed, at),
            OrderFact::Rejected(rejection) => {
                self.advance(Progress::Rejected(rejection.clone()), at)
            }
            OrderFact::CancellationRequested(OrderCancellationRequested { reason }) => {
                self.request_cancellation(reason, at)
            }
            OrderFact::CancellationDeclined => self.decline_cancellation(at),
            OrderFact::Cancelled(OrderCancelled { reason }) => self.cancel(reason, at),
            OrderFact::Redacted => self.redact(at),
        }
    }

    fn advance(&mut self, next: Progress, at: Timestamp) -> Outcome {
        if self.is_cancelled() || !self.progress.leads_to(&next) {
            return Outcome::AlreadyApplied;
        }
        let status = next.status().name();
        self.progress = next;
        self.reach(status, at)
    }

    fn request_cancellation(&mut self, reason: &CancelReason, at: Timestamp) -> Outcome {
        if self.cancellation.is_some() || self.progress.is_final() {
            return Outcome::AlreadyApplied;
        }
        self.cancellation = Some(Cancellation::Requested { reason: reason.clone(), at });
        self.reach(StatusName::CancellationRequested, at)
    }

    fn decline_cancellation(&mut self, at: Timestamp) -> Outcome {
        if !matches!(self.cancellation, Some(Cancellation::Requested { .. })) {
            return Outcome::AlreadyApplied;
        }
        self.cancellation = Some(Cancellation::Declined { at });
        Outcome::Applied
    }

    fn cancel(&mut self, reason: &CancelReason, at: Timestamp) -> Outcome {
        if self.is_cancelled() || self.progress.is_final() {
            return Outcome::AlreadyApplied;
        }
        self.cancellation = Some(Cancellation::Granted { reason: reason.clone(), at });
        self.reach(StatusName::Cancelled, at)
    }

    fn redact(&mut self, at: Timestamp) -> Outcome {
        if self.redacted_at.is_some() {
            return Outcome::AlreadyApplied;
        }
        self.redacted_at = Some(at);
        self.redact_texts();
        Outcome::Applied
    }

    fn reach(&mut self, status: StatusName, at: Timestamp) -> Outcome {
        self.history.push(StatusChange { status, at });
        Outcome::Applied
    }

    const fn is_cancelled(&self) -> bool {
        matches!(self.cancellation, Some(Cancellation::Granted { .. }))
    }
}
