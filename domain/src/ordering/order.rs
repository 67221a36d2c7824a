use super::{
    CancelReason, Cancellation, CannotCancel, CustomerName, OrderCancellationRequested,
    OrderCancelled, OrderCreated, OrderEvent, OrderFact, OrderItems, OrderNote, OrderSnapshot,
    PharmacyNews, Progress, RestoreError, StatusChange, StatusName,
};
use crate::{CustomerId, EventStamp, OrderId, OrderVersion, Outcome, Timestamp};

/// The order aggregate: one order is changed and saved as a whole.
///
/// A command creates an event and applies it to the state, so the recorded events and the state
/// always agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    state: OrderSnapshot,
    recorded: Vec<OrderEvent>,
}

/// The data of an order to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The id of the new order.
    pub id: OrderId,
    /// The customer who places it, if the client names one.
    pub customer_id: Option<CustomerId>,
    /// Who places it.
    pub customer_name: CustomerName,
    /// What is ordered.
    pub items: OrderItems,
    /// The customer's note.
    pub note: Option<OrderNote>,
}

/// Why a list of events is not the history of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first event must be `OrderCreated` at version 1.
    #[error("the first event must be the creation of the order, at version 1")]
    NoCreation,
    /// Each later event must be the next version.
    #[error("version {found} does not follow version {after} of the order")]
    NotContiguous {
        /// The version of the previous event.
        after: OrderVersion,
        /// The version found instead of the next one.
        found: OrderVersion,
    },
    /// All events must belong to the same order.
    #[error("the event of version {version} belongs to another order, {order_id}")]
    OtherOrder {
        /// The version in the event.
        version: OrderVersion,
        /// The order in the event.
        order_id: OrderId,
    },
    /// Each event must be possible in the state before it.
    #[error("the event of version {version} is not possible in the state before it")]
    NotPossible {
        /// The version of the event.
        version: OrderVersion,
    },
}

impl Order {
    /// Places an order and records [`OrderCreated`].
    #[must_use]
    pub fn place(new: NewOrder, event_stamp: EventStamp) -> Self {
        let NewOrder { id, customer_id, customer_name, items, note } = new;
        let created = OrderCreated { customer_id, customer_name, items, note };
        let state = created_state(id, &created, event_stamp.at);
        let event = OrderEvent {
            id: event_stamp.event_id,
            occurred_at: event_stamp.at,
            order_id: id,
            version: OrderVersion::FIRST,
            fact: OrderFact::Created(created),
        };
        Self { state, recorded: vec![event] }
    }

    /// Asks the pharmacy to cancel the order, and records [`OrderCancellationRequested`].
    ///
    /// The order is cancelled when the pharmacy agrees: see [`Self::follow`]. If it is already
    /// cancelled, or was already asked for, nothing changes.
    ///
    /// # Errors
    /// When the order is completed or rejected, or the pharmacy has declined before.
    pub fn request_cancellation(
        &mut self,
        reason: CancelReason,
        event_stamp: EventStamp,
    ) -> Result<Outcome, CannotCancel> {
        match &self.state.cancellation {
            Some(Cancellation::Requested { .. } | Cancellation::Granted { .. }) => {
                return Ok(Outcome::AlreadyApplied);
            }
            _ if self.state.progress.is_final() => {
                return Err(CannotCancel::Final(self.state.status().name()));
            }
            Some(Cancellation::Declined { .. }) => return Err(CannotCancel::Declined),
            None => {}
        }
        let fact = OrderFact::CancellationRequested(OrderCancellationRequested { reason });
        Ok(self.record(fact, event_stamp))
    }

    /// Follows what the pharmacy reports, and records the event that belongs to it.
    ///
    /// Progress only goes forward, and the status of a completed, rejected or cancelled order never
    /// changes. So a
    /// repeated or late report changes nothing. The pharmacy may cancel an order that nobody asked it to
    /// cancel.
    pub fn follow(&mut self, news: PharmacyNews, event_stamp: EventStamp) -> Outcome {
        let fact = match news {
            PharmacyNews::Confirmed => OrderFact::Confirmed,
            PharmacyNews::PreparationStarted => return Outcome::AlreadyApplied,
            PharmacyNews::Ready => OrderFact::Ready,
            PharmacyNews::Dispensed => OrderFact::Completed,
            PharmacyNews::Rejected(rejection) => OrderFact::Rejected(rejection),
            PharmacyNews::Cancelled => OrderFact::Cancelled(OrderCancelled {
                reason: match &self.state.cancellation {
                    Some(Cancellation::Requested { reason, .. }) => reason.clone(),
                    _ => CancelReason::of_the_pharmacy(),
                },
            }),
            PharmacyNews::CancellationDeclined => OrderFact::CancellationDeclined,
        };
        self.record(fact, event_stamp)
    }

    /// Redacts the order, because the data of its customer are erased: replaces the name and all texts
    /// that people wrote about the order, and drops the note. Texts that come later are replaced, too.
    ///
    /// This is possible in every state, also in a final one, and does not change the status. A redacted
    /// order stays as it is.
    pub fn redact(&mut self, event_stamp: EventStamp) -> Outcome {
        self.record(OrderFact::Redacted, event_stamp)
    }

    /// Records an event if it changes the state.
    fn record(&mut self, fact: OrderFact, EventStamp { event_id, at }: EventStamp) -> Outcome {
        let fact = if self.state.redacted_at.is_some() { fact.redacted() } else { fact };
        let event = OrderEvent {
            id: event_id,
            occurred_at: at,
            order_id: self.state.id,
            version: self.state.version.next(),
            fact,
        };
        let outcome = self.apply(&event);
        if outcome.is_applied() {
            self.recorded.push(event);
        }
        outcome
    }

    /// Restores an order from the state that a store has saved. It has no recorded events.
    ///
    /// # Errors
    /// When no sequence of events leads to this state.
    pub fn restore(snapshot: OrderSnapshot) -> Result<Self, RestoreError> {
        snapshot.check()?;
        Ok(Self { state: snapshot, recorded: Vec::new() })
    }

    /// Rebuilds an order from all its events. It has no recorded events.
    ///
    /// # Errors
    /// When the events are not the complete, contiguous history of one order.
    pub fn fold<'a>(history: impl IntoIterator<Item = &'a OrderEvent>) -> Result<Self, FoldError> {
        let mut history = history.into_iter();
        let state = match history.next() {
            Some(OrderEvent {
                occurred_at,
                order_id,
                version: OrderVersion::FIRST,
                fact: OrderFact::Created(created),
                ..
            }) => created_state(*order_id, created, *occurred_at),
            _ => return Err(FoldError::NoCreation),
        };
        let mut order = Self { state, recorded: Vec::new() };
        for event in history {
            let after = order.state.version;
            let OrderEvent { version, order_id, .. } = *event;
            if order_id != order.state.id {
                return Err(FoldError::OtherOrder { version, order_id });
            }
            if version != after.next() {
                return Err(FoldError::NotContiguous { after, found: version });
            }
            if !order.apply(event).is_applied() {
                return Err(FoldError::NotPossible { version });
            }
        }
        Ok(order)
    }

    /// Applies an event to the state. Commands and [`Self::fold`] both use it, so both follow the
    /// same rules.
    fn apply(&mut self, event: &OrderEvent) -> Outcome {
        let outcome = self.state.apply(&event.fact, event.occurred_at);
        if outcome.is_applied() {
            self.state.version = event.version;
        }
        outcome
    }

    /// The id of the order.
    #[must_use]
    pub const fn id(&self) -> OrderId {
        self.state.id
    }

    /// The version of the order, including the recorded events.
    #[must_use]
    pub const fn version(&self) -> OrderVersion {
        self.state.version
    }

    /// The state of the order.
    #[must_use]
    pub const fn snapshot(&self) -> &OrderSnapshot {
        &self.state
    }

    /// The events recorded since the order was placed or restored. A save stores them together with
    /// the state.
    #[must_use]
    pub fn recorded(&self) -> &[OrderEvent] {
        &self.recorded
    }

    /// The version a store must have for this order to be saved; `None` when the order is new.
    ///
    /// This is optimistic locking: another version means that somebody else has saved the order.
    #[must_use]
    pub fn stored_version(&self) -> Option<OrderVersion> {
        let unsaved = i64::try_from(self.recorded.len()).unwrap_or(i64::MAX);
        OrderVersion::try_from(self.state.version.get() - unsaved).ok()
    }

    /// The same order after a save: its recorded events are removed.
    #[must_use]
    pub fn saved(mut self) -> Self {
        self.recorded.clear();
        self
    }
}

/// The state of an order after its creation.
fn created_state(id: OrderId, created: &OrderCreated, at: Timestamp) -> OrderSnapshot {
    let OrderCreated { customer_id, customer_name, items, note } = created.clone();
    OrderSnapshot {
        id,
        customer_id,
        customer_name,
        items,
        note,
        progress: Progress::Created,
        cancellation: None,
        history: vec![StatusChange { status: StatusName::Created, at }],
        version: OrderVersion::FIRST,
        created_at: at,
        redacted_at: None,
    }
}
