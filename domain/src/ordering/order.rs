use super::{
    CancelReason, CustomerName, OrderCancelled, OrderCreated, OrderEvent, OrderFact, OrderItems,
    OrderNote, OrderSnapshot, OrderStatus, RestoreError,
};
use crate::{EventStamp, OrderId, OrderVersion, Outcome, Timestamp};

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
        let NewOrder { id, customer_name, items, note } = new;
        let created = OrderCreated { customer_name, items, note };
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

    /// Cancels the order and records [`OrderCancelled`]. A cancelled order does not change.
    pub fn cancel(&mut self, reason: CancelReason, event_stamp: EventStamp) -> Outcome {
        let event = OrderEvent {
            id: event_stamp.event_id,
            occurred_at: event_stamp.at,
            order_id: self.state.id,
            version: self.state.version.next(),
            fact: OrderFact::Cancelled(OrderCancelled { reason }),
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
    /// When no sequence of commands leads to this state.
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
        match (&event.fact, &self.state.status) {
            (OrderFact::Created(_), _)
            | (OrderFact::Cancelled(_), OrderStatus::Cancelled { .. }) => Outcome::AlreadyApplied,
            (OrderFact::Cancelled(OrderCancelled { reason }), OrderStatus::Created) => {
                self.state.status =
                    OrderStatus::Cancelled { reason: reason.clone(), at: event.occurred_at };
                self.state.version = event.version;
                Outcome::Applied
            }
        }
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
    let OrderCreated { customer_name, items, note } = created.clone();
    OrderSnapshot {
        id,
        customer_name,
        items,
        note,
        status: OrderStatus::Created,
        version: OrderVersion::FIRST,
        created_at: at,
    }
}
