use super::{Action, Command, PharmacyEvent, PharmacyFact, WorkStatus};
use crate::{EventStamp, OrderId, OrderVersion, Outcome, Timestamp};

/// The pharmacy's work on an order: what pharmacists did, and how the pharmacy answered requests to
/// cancel.
///
/// The pharmacy alone decides whether an order is dispensed or cancelled. So an order is never both.
///
/// Commands and requests may be repeated. A repeat changes nothing and records no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    state: WorkSnapshot,
    recorded: Vec<PharmacyEvent>,
}

/// The state of a [`Work`], for stores and read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkSnapshot {
    /// The id of the order.
    pub order_id: OrderId,
    /// The status.
    pub status: WorkStatus,
    /// The number of recorded events; `None` before the first.
    pub version: Option<OrderVersion>,
    /// The latest version of the order whose request to cancel was answered.
    pub answered: Option<OrderVersion>,
    /// The changes of the status, oldest first.
    pub history: Vec<StatusChange>,
}

/// A change of the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The status after the change.
    pub status: WorkStatus,
    /// When it changed.
    pub at: Timestamp,
}

/// A command is not allowed in the current status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action:?} is not allowed in status {status:?}")]
pub struct IllegalTransition {
    /// What was asked for.
    pub action: Action,
    /// The current status, which says what is allowed.
    pub status: WorkStatus,
}

impl Work {
    /// The work on an order that nobody has looked at yet.
    #[must_use]
    pub const fn new(order_id: OrderId) -> Self {
        let state = WorkSnapshot {
            order_id,
            status: WorkStatus::Draft,
            version: None,
            answered: None,
            history: Vec::new(),
        };
        Self { state, recorded: Vec::new() }
    }

    /// Restores the work from the state that a store has saved. It has no recorded events.
    #[must_use]
    pub const fn restore(state: WorkSnapshot) -> Self {
        Self { state, recorded: Vec::new() }
    }

    /// Carries out a command of a pharmacist and records the event.
    ///
    /// A command whose result is the current status was carried out before.
    ///
    /// # Errors
    /// When the command is not allowed in the current status.
    pub fn carry_out(
        &mut self,
        command: Command,
        event_stamp: EventStamp,
    ) -> Result<Outcome, IllegalTransition> {
        let action = command.action();
        let fact = command.fact();
        if fact.status().as_ref() == Some(&self.state.status) {
            return Ok(Outcome::AlreadyApplied);
        }
        if !self.state.status.allowed_actions().contains(&action) {
            return Err(IllegalTransition { action, status: self.state.status.clone() });
        }
        self.record(fact, event_stamp);
        Ok(Outcome::Applied)
    }

    /// Answers a request to cancel the order, which the customer made at this version of the order.
    /// The order is cancelled unless it was dispensed or rejected before.
    pub fn cancellation_requested(
        &mut self,
        order_version: OrderVersion,
        event_stamp: EventStamp,
    ) -> Outcome {
        if self.state.answered >= Some(order_version) {
            return Outcome::AlreadyApplied;
        }
        let fact = match self.state.status {
            WorkStatus::Cancelled => return Outcome::AlreadyApplied,
            WorkStatus::Dispensed | WorkStatus::Rejected(_) => {
                PharmacyFact::CancellationDeclined { order_version }
            }
            WorkStatus::Draft
            | WorkStatus::Confirmed
            | WorkStatus::InPreparation
            | WorkStatus::Ready => PharmacyFact::Cancelled { order_version },
        };
        self.record(fact, event_stamp);
        Outcome::Applied
    }

    fn record(&mut self, fact: PharmacyFact, EventStamp { event_id, at }: EventStamp) {
        let version = self.state.version.map_or(OrderVersion::FIRST, OrderVersion::next);
        let order_id = self.state.order_id;
        let event = PharmacyEvent { id: event_id, occurred_at: at, order_id, version, fact };
        self.apply(&event);
        self.recorded.push(event);
    }

    /// Applies an event that was recorded and published before, when the store has lost it. It is not
    /// recorded again. An event that the store still has changes nothing.
    pub fn recover(&mut self, event: &PharmacyEvent) -> Outcome {
        if self.state.version >= Some(event.version) {
            return Outcome::AlreadyApplied;
        }
        self.apply(event);
        Outcome::Applied
    }

    fn apply(&mut self, event: &PharmacyEvent) {
        self.state.version = Some(event.version);
        if let Some(status) = event.fact.status() {
            self.state.status = status.clone();
            self.state.history.push(StatusChange { status, at: event.occurred_at });
        }
        if let PharmacyFact::Cancelled { order_version }
        | PharmacyFact::CancellationDeclined { order_version } = event.fact
        {
            self.state.answered = Some(order_version);
        }
    }

    /// Replaces the texts that pharmacists wrote. Nothing is recorded: ordering has published that the
    /// order is redacted.
    pub(super) fn redact_texts(&mut self) {
        self.state.status.redact_texts();
        for change in &mut self.state.history {
            change.status.redact_texts();
        }
    }

    /// The state of the work.
    #[must_use]
    pub const fn snapshot(&self) -> &WorkSnapshot {
        &self.state
    }

    /// The same work after a save: its recorded events are removed.
    #[must_use]
    pub fn saved(mut self) -> Self {
        self.recorded.clear();
        self
    }

    /// The events recorded since the work was new or restored. A save stores them together with the
    /// state.
    #[must_use]
    pub fn recorded(&self) -> &[PharmacyEvent] {
        &self.recorded
    }
}
