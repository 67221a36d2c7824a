use crate::{OrderId, OrderVersion, Outcome, Timestamp};

/// The pharmacy's copy of an order, built from the events it has received.
///
/// Events may arrive twice, out of order, or with earlier events missing. The same set of events
/// leads to the same state in any sequence, and a repeated event changes nothing. This works
/// because ordering publishes each type of event at most once per order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrder {
    state: PharmacySnapshot,
}

/// The state of a [`PharmacyOrder`], for stores and read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacySnapshot {
    /// The id of the order.
    pub id: OrderId,
    /// The latest version received; `None` before the first event.
    pub version: Option<OrderVersion>,
    /// The status of the order in the pharmacy.
    pub status: PharmacyStatus,
    /// What to prepare; `None` until `OrderCreated` has been received.
    pub contents: Option<Contents>,
    /// How many versions before the latest one have not been received.
    pub missing: i64,
}

/// The status of an order in the pharmacy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PharmacyStatus {
    /// A pharmacist has to review it.
    Draft,
    /// It was cancelled. This is final.
    Cancelled {
        /// Why.
        reason: String,
        /// When the order was cancelled.
        at: Timestamp,
    },
}

/// What an order asks the pharmacy to prepare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The customer.
    pub customer_name: String,
    /// The items, in the sequence of the order.
    pub items: Vec<RequestedItem>,
    /// The customer's note.
    pub note: Option<String>,
    /// When the order was placed.
    pub ordered_at: Timestamp,
}

/// An item of an order, as ordering published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedItem {
    /// The product.
    pub product_id: i64,
    /// How many pieces are ordered.
    pub quantity: i32,
    /// The medication the customer means, if the customer named one.
    pub medication: Option<RequestedMedication>,
}

/// A medication, given by its code in a terminology, as ordering published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedMedication {
    /// The URI of the terminology.
    pub system: String,
    /// The medication's code in the terminology.
    pub code: String,
    /// The medication's name in the terminology.
    pub display: Option<String>,
}

impl PharmacyOrder {
    /// An order of which no event has been received yet.
    #[must_use]
    pub const fn new(id: OrderId) -> Self {
        Self {
            state: PharmacySnapshot {
                id,
                version: None,
                status: PharmacyStatus::Draft,
                contents: None,
                missing: 0,
            },
        }
    }

    /// Restores an order from the state that a store has saved.
    #[must_use]
    pub const fn restore(state: PharmacySnapshot) -> Self {
        Self { state }
    }

    /// Applies `OrderCreated`.
    ///
    /// If it arrives after the cancellation, it sets the contents and the order stays cancelled.
    pub fn order_created(&mut self, version: OrderVersion, contents: Contents) -> Outcome {
        if self.state.contents.is_some() {
            return Outcome::AlreadyApplied;
        }
        self.state.contents = Some(contents);
        self.count_version(version);
        Outcome::Applied
    }

    /// Applies `OrderCancelled`, which may arrive before `OrderCreated`.
    pub fn order_cancelled(
        &mut self,
        version: OrderVersion,
        reason: String,
        at: Timestamp,
    ) -> Outcome {
        if matches!(self.state.status, PharmacyStatus::Cancelled { .. }) {
            return Outcome::AlreadyApplied;
        }
        self.state.status = PharmacyStatus::Cancelled { reason, at };
        self.count_version(version);
        Outcome::Applied
    }

    /// Updates the latest version and the number of missing versions before it.
    fn count_version(&mut self, version: OrderVersion) {
        let latest = self.state.version.map_or(0, OrderVersion::get);
        if version.get() > latest {
            self.state.missing += version.get() - latest - 1;
            self.state.version = Some(version);
        } else {
            self.state.missing = (self.state.missing - 1).max(0);
        }
    }

    /// The id of the order.
    #[must_use]
    pub const fn id(&self) -> OrderId {
        self.state.id
    }

    /// The state of the order.
    #[must_use]
    pub const fn snapshot(&self) -> &PharmacySnapshot {
        &self.state
    }
}
