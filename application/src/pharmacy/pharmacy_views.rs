use std::future::Future;
use std::time::Duration;

use domain::pharmacy::{PharmacySnapshot, WorkSnapshot, WorkStatus};
use domain::{OrderId, OrderVersion, Timestamp};

use crate::StoreError;

/// Port to read the pharmacy's orders.
pub trait PharmacyViews: Send + Sync {
    /// The order with this id.
    fn view(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Option<PharmacyOrderView>, StoreError>> + Send;

    /// At most `limit` orders in one of these states, sorted by id, after the order `after`. The
    /// ids of orders ascend with time.
    fn page(
        &self,
        states: &[WorkState],
        sequence: Sequence,
        after: Option<OrderId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<PharmacyOrderView>, StoreError>> + Send;

    /// The work that is not done: each state of [`WorkState::OPEN`], in this sequence.
    fn worklist(&self) -> impl Future<Output = Result<Vec<OpenWork>, StoreError>> + Send;
}

/// The sequence of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sequence {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first: the order to work on next.
    OldestFirst,
}

/// A [`WorkStatus`] without its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkState {
    /// [`WorkStatus::Draft`].
    Draft,
    /// [`WorkStatus::Confirmed`].
    Confirmed,
    /// [`WorkStatus::InPreparation`].
    InPreparation,
    /// [`WorkStatus::Ready`].
    Ready,
    /// [`WorkStatus::Dispensed`].
    Dispensed,
    /// [`WorkStatus::Rejected`].
    Rejected,
    /// [`WorkStatus::Cancelled`].
    Cancelled,
}

impl WorkState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Confirmed,
        Self::InPreparation,
        Self::Ready,
        Self::Dispensed,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// The states of orders that a pharmacist still has to work on.
    pub const OPEN: [Self; 4] = [Self::Draft, Self::Confirmed, Self::InPreparation, Self::Ready];

    /// The state as text, in stores and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Confirmed => "confirmed",
            Self::InPreparation => "in_preparation",
            Self::Ready => "ready",
            Self::Dispensed => "dispensed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<&WorkStatus> for WorkState {
    fn from(status: &WorkStatus) -> Self {
        match status {
            WorkStatus::Draft => Self::Draft,
            WorkStatus::Confirmed => Self::Confirmed,
            WorkStatus::InPreparation => Self::InPreparation,
            WorkStatus::Ready => Self::Ready,
            WorkStatus::Dispensed => Self::Dispensed,
            WorkStatus::Rejected(_) => Self::Rejected,
            WorkStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// The orders in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenWork {
    /// The state.
    pub state: WorkState,
    /// How many orders are in it.
    pub orders: u64,
    /// How long ago the pharmacy received the first event of the oldest of them; `None` if there is
    /// none.
    pub oldest: Option<Duration>,
}

/// An order as it is shown to a pharmacist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyOrderView {
    /// What ordering has told.
    pub order: PharmacySnapshot,
    /// The pharmacy's work.
    pub work: WorkSnapshot,
    /// When the pharmacy received the first event of the order.
    pub received_at: Timestamp,
}

impl PharmacyOrderView {
    /// The version of the work; 0 before its first event.
    #[must_use]
    pub fn work_version(&self) -> i64 {
        self.work.version.map_or(0, OrderVersion::get)
    }
}
