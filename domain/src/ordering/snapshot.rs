use super::progress::{FINAL_STEP, step};
use super::{
    Cancellation, CustomerName, OrderItems, OrderNote, OrderStatus, Progress, StatusChange,
    StatusName,
};
use crate::{CustomerId, OrderId, OrderVersion, Timestamp};

/// The state of an order, for stores and read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSnapshot {
    /// The id of the order.
    pub id: OrderId,
    /// The customer who placed it, if the client named one.
    pub customer_id: Option<CustomerId>,
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// The customer's note.
    pub note: Option<OrderNote>,
    /// How far the pharmacy is. While a cancellation is requested it goes on, although the status does
    /// not show it.
    pub progress: Progress,
    /// What became of the wish to cancel it; `None` if there was none.
    pub cancellation: Option<Cancellation>,
    /// Each status that was reached, oldest first: one for each event, except for a declined
    /// cancellation, after which the order has a status that it reached before, and for an erasure.
    pub history: Vec<StatusChange>,
    /// The number of events it has recorded.
    pub version: OrderVersion,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When the data of its customer were erased; `None` if they were not.
    pub redacted_at: Option<Timestamp>,
}

/// Why a stored state is invalid: no sequence of events leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// An order begins with its creation.
    #[error("the history must begin with the creation of the order")]
    NoCreation,
    /// Each status must be possible after those before it.
    #[error("status {0} is not possible in the history after those before it")]
    NotPossible(StatusName),
    /// The progress and the cancellation must be the ones that the history leads to.
    #[error("the progress and the cancellation differ from those in the history")]
    OtherState,
    /// The version must be the number of events.
    #[error("an order with such a history cannot be at version {0}")]
    Version(OrderVersion),
}

impl OrderSnapshot {
    /// The status of the order.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        match &self.cancellation {
            None | Some(Cancellation::Declined { .. }) => self.progress.status(),
            Some(Cancellation::Requested { reason, at }) => {
                OrderStatus::CancellationRequested { reason: reason.clone(), at: *at }
            }
            Some(Cancellation::Granted { reason, at }) => {
                OrderStatus::Cancelled { reason: reason.clone(), at: *at }
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), RestoreError> {
        let reached = Reached::by(&self.history, self.created_at)?;
        if reached.progress != self.progress.status().name() {
            return Err(RestoreError::OtherState);
        }
        // A declined request has an event, but no entry in the history. Whether a request was declined is
        // not known any more if the pharmacy has cancelled the order all the same.
        let declined = match (&self.cancellation, reached.requested, reached.cancelled) {
            (None, None, None) => 0..=0,
            (Some(Cancellation::Requested { at, .. }), Some(requested), None)
                if *at == requested =>
            {
                0..=0
            }
            (Some(Cancellation::Declined { .. }), Some(_), None) => 1..=1,
            (Some(Cancellation::Granted { at, .. }), requested, Some(cancelled))
                if *at == cancelled =>
            {
                0..=i64::from(requested.is_some())
            }
            _ => return Err(RestoreError::OtherState),
        };
        let history = i64::try_from(self.history.len()).unwrap_or(i64::MAX);
        let redacted = i64::from(self.redacted_at.is_some());
        if !declined.contains(&(self.version.get() - history - redacted)) {
            return Err(RestoreError::Version(self.version));
        }
        Ok(())
    }
}

/// What a history leads to.
struct Reached {
    progress: StatusName,
    requested: Option<Timestamp>,
    cancelled: Option<Timestamp>,
}

impl Reached {
    fn by(history: &[StatusChange], created_at: Timestamp) -> Result<Self, RestoreError> {
        let created = StatusChange { status: StatusName::Created, at: created_at };
        let Some((first, later)) = history.split_first() else {
            return Err(RestoreError::NoCreation);
        };
        if *first != created {
            return Err(RestoreError::NoCreation);
        }
        let mut reached = Self { progress: StatusName::Created, requested: None, cancelled: None };
        for StatusChange { status, at } in later {
            let open = reached.cancelled.is_none() && step(reached.progress) < Some(FINAL_STEP);
            match status {
                StatusName::CancellationRequested if open && reached.requested.is_none() => {
                    reached.requested = Some(*at);
                }
                StatusName::Cancelled if open => reached.cancelled = Some(*at),
                _ if open && step(reached.progress) < step(*status) => reached.progress = *status,
                _ => return Err(RestoreError::NotPossible(*status)),
            }
        }
        Ok(reached)
    }
}
