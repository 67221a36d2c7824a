use crate::{OrderId, OrderVersion, Outcome, Timestamp};

/// An order as the pharmacy knows it, put together from the events it was told.
///
/// Events may come twice, late or with others missing before them. Ordering tells of each thing that
/// can happen to an order at most once; whatever comes of it and in whatever sequence, the same set
/// of events leads to the same order, and a repeat changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrder {
    state: PharmacySnapshot,
}

/// The state of the pharmacy's order, laid open for a store to keep and for a view to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacySnapshot {
    /// Which order.
    pub id: OrderId,
    /// The latest version the pharmacy was told of; `None` before the first event.
    pub version: Option<OrderVersion>,
    /// Where the order stands for the pharmacy.
    pub status: PharmacyStatus,
    /// What to prepare; unknown as long as the order's creation has not been told.
    pub contents: Option<Contents>,
    /// How many versions before the latest one have not been told.
    pub missing: i64,
}

/// Where an order stands for the pharmacy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PharmacyStatus {
    /// To be looked at by a pharmacist.
    Draft,
    /// Called off, which is final.
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
    /// Whom it is for.
    pub customer_name: String,
    /// What to prepare, in the customer's order.
    pub items: Vec<RequestedItem>,
    /// What the customer has to say about it.
    pub note: Option<String>,
    /// When the order was placed.
    pub ordered_at: Timestamp,
}

/// So many pieces of one product, as ordering published them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedItem {
    /// The product.
    pub product_id: i64,
    /// The pieces of it.
    pub quantity: i32,
    /// Which medication is meant by it, if that was said.
    pub medication: Option<RequestedMedication>,
}

/// A medication in the words of a terminology, as ordering published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedMedication {
    /// The terminology, by its URI.
    pub system: String,
    /// The medication's code in it.
    pub code: String,
    /// What the terminology calls it.
    pub display: Option<String>,
}

impl PharmacyOrder {
    /// An order of which nothing has been told yet.
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

    /// The order a store has kept.
    #[must_use]
    pub const fn restore(state: PharmacySnapshot) -> Self {
        Self { state }
    }

    /// Ordering tells that the order was placed, and what it asks for.
    ///
    /// Told after the cancellation, it fills in the contents and the order stays cancelled.
    pub fn order_created(&mut self, version: OrderVersion, contents: Contents) -> Outcome {
        if self.state.contents.is_some() {
            return Outcome::AlreadyApplied;
        }
        self.state.contents = Some(contents);
        self.told(version);
        Outcome::Applied
    }

    /// Ordering tells that the order was cancelled, perhaps before it told of its creation.
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
        self.told(version);
        Outcome::Applied
    }

    /// Keeps count of the versions told and of those missing before the latest.
    fn told(&mut self, version: OrderVersion) {
        let latest = self.state.version.map_or(0, OrderVersion::get);
        if version.get() > latest {
            self.state.missing += version.get() - latest - 1;
            self.state.version = Some(version);
        } else {
            self.state.missing = (self.state.missing - 1).max(0);
        }
    }

    /// Which order this is.
    #[must_use]
    pub const fn id(&self) -> OrderId {
        self.state.id
    }

    /// The state, laid open.
    #[must_use]
    pub const fn snapshot(&self) -> &PharmacySnapshot {
        &self.state
    }
}
