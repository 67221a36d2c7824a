use super::{
    CancelReason, CustomerName, OrderCancelled, OrderCreated, OrderEvent, OrderFact, OrderItems,
    OrderNote, OrderSnapshot, OrderStatus, RestoreError,
};
use crate::{EventId, OrderId, OrderVersion, Outcome, Timestamp};

/// An order: the unit that is changed, and saved, as a whole.
///
/// Every change is an event first: a command records the event and the state follows from it, so
/// the recorded events and the state cannot disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    state: OrderSnapshot,
    recorded: Vec<OrderEvent>,
}

/// What a customer asks for, and the identity the order is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The identity the order is to have.
    pub id: OrderId,
    /// Who places it.
    pub customer_name: CustomerName,
    /// What is ordered.
    pub items: OrderItems,
    /// What the customer has to say about it.
    pub note: Option<OrderNote>,
}

/// When something happens, and the identity of the event that will tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStamp {
    /// The identity the event will have, if one is recorded.
    pub event_id: EventId,
    /// The moment.
    pub at: Timestamp,
}

/// A list of events that is not the history of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first event must tell of the order's creation, at version 1.
    #[error("the history does not begin with the creation of the order")]
    NoCreation,
    /// Each later event must be the next version.
    #[error("version {found} does not follow version {after} of the order")]
    Broken {
        /// The version of the event before.
        after: OrderVersion,
        /// The version of the event that does not follow.
        found: OrderVersion,
    },
    /// All events must tell of the same order.
    #[error("version {version} is another order's, {order_id}")]
    Foreign {
        /// The version the event claims to be.
        version: OrderVersion,
        /// The order it happened to.
        order_id: OrderId,
    },
    /// Each event must be one the order could have recorded as it then stood.
    #[error("what version {version} tells could not happen to the order as it stood")]
    Impossible {
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
        let state = begin(id, &created, event_stamp.at);
        let event = OrderEvent {
            id: event_stamp.event_id,
            occurred_at: event_stamp.at,
            order_id: id,
            version: OrderVersion::FIRST,
            fact: OrderFact::Created(created),
        };
        Self { state, recorded: vec![event] }
    }

    /// Calls the order off and records [`OrderCancelled`]. A cancelled order stays as it is.
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

    /// The order a store has kept; it has recorded nothing since.
    ///
    /// # Errors
    /// When no history of commands leads to this state.
    pub fn restore(snapshot: OrderSnapshot) -> Result<Self, RestoreError> {
        snapshot.check()?;
        Ok(Self { state: snapshot, recorded: Vec::new() })
    }

    /// The order whose whole history these events are; it has recorded nothing since.
    ///
    /// # Errors
    /// When the events are not the contiguous history of one order.
    pub fn fold<'a>(history: impl IntoIterator<Item = &'a OrderEvent>) -> Result<Self, FoldError> {
        let mut history = history.into_iter();
        let state = match history.next() {
            Some(OrderEvent {
                occurred_at,
                order_id,
                version: OrderVersion::FIRST,
                fact: OrderFact::Created(created),
                ..
            }) => begin(*order_id, created, *occurred_at),
            _ => return Err(FoldError::NoCreation),
        };
        let mut order = Self { state, recorded: Vec::new() };
        for event in history {
            let after = order.state.version;
            let OrderEvent { version, order_id, .. } = *event;
            if order_id != order.state.id {
                return Err(FoldError::Foreign { version, order_id });
            }
            if version != after.next() {
                return Err(FoldError::Broken { after, found: version });
            }
            if !order.apply(event).is_applied() {
                return Err(FoldError::Impossible { version });
            }
        }
        Ok(order)
    }

    /// The one place that says what may happen to an order that exists, and what it does to it.
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

    /// Which order this is.
    #[must_use]
    pub const fn id(&self) -> OrderId {
        self.state.id
    }

    /// How many events the order has recorded in its life.
    #[must_use]
    pub const fn version(&self) -> OrderVersion {
        self.state.version
    }

    /// The state, laid open.
    #[must_use]
    pub const fn snapshot(&self) -> &OrderSnapshot {
        &self.state
    }

    /// The events recorded since the order was placed or restored; a save stores them with the state.
    #[must_use]
    pub fn recorded(&self) -> &[OrderEvent] {
        &self.recorded
    }

    /// The version a store must still hold for this order to be saved; `None` when it is new.
    #[must_use]
    pub fn stored_version(&self) -> Option<OrderVersion> {
        let unsaved = i64::try_from(self.recorded.len()).unwrap_or(i64::MAX);
        OrderVersion::try_from(self.state.version.get() - unsaved).ok()
    }

    /// The same order once a store has kept it with its events.
    #[must_use]
    pub fn saved(mut self) -> Self {
        self.recorded.clear();
        self
    }
}

/// The one place that says what an order is once it was created.
fn begin(id: OrderId, created: &OrderCreated, at: Timestamp) -> OrderSnapshot {
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
