use domain::pharmacy::{Command, CommandError, IllegalTransition};
use domain::{EventStamp, OrderId, OrderVersion};

use super::{OrderRevision, PharmacyOrders, SaveAllError};
use crate::StoreError;

/// Maximum number of attempts when other writers change the order at the same time.
const ATTEMPTS: usize = 10;

/// The command of a pharmacist to work on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkOnOrder {
    /// The order.
    pub id: OrderId,
    /// What to do.
    pub command: Command,
    /// The work must be at one of these versions (`If-Match`); 0 before its first event. `None`
    /// allows every version; an empty list allows none.
    pub expected: Option<Vec<i64>>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum WorkOnOrderError {
    /// The pharmacy has received no event of this order.
    #[error("the order does not exist")]
    NotFound,
    /// `OrderCreated` has not been received. Retry later.
    #[error("the contents of the order have not been received yet")]
    ContentsUnknown,
    /// The work is at a version that the pharmacist does not expect.
    #[error("the work on the order is at version {actual}")]
    OtherVersion {
        /// The current version.
        actual: i64,
    },
    /// The command is not allowed in the current status.
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    /// Other writers kept changing the order. Retry later.
    #[error("others are changing the order")]
    Contended,
    /// The store failed. It is safe to retry.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Carries out a command on an order. If it was carried out before, the order does not change.
///
/// # Errors
/// When the order or its contents are unknown, its work is at none of the versions in `expected`,
/// the command is not allowed in its status, other writers keep changing the order, or the store
/// fails.
pub async fn work_on_order(
    orders: &impl PharmacyOrders,
    command: WorkOnOrder,
    event_stamp: EventStamp,
) -> Result<(), WorkOnOrderError> {
    for _ in 0..ATTEMPTS {
        let found = orders.find_all(&[command.id]).await?.pop();
        let OrderRevision { mut order, revision } = found.ok_or(WorkOnOrderError::NotFound)?;
        let actual = order.work().version.map_or(0, OrderVersion::get);
        if command.expected.as_ref().is_some_and(|expected| !expected.contains(&actual)) {
            return Err(WorkOnOrderError::OtherVersion { actual });
        }
        let outcome =
            order.carry_out(command.command.clone(), event_stamp).map_err(|error| match error {
                CommandError::ContentsUnknown => WorkOnOrderError::ContentsUnknown,
                CommandError::IllegalTransition(illegal) => illegal.into(),
            })?;
        if !outcome.is_applied() {
            return Ok(());
        }
        match orders.save_all(&[OrderRevision { order, revision }], &[]).await {
            Ok(()) => return Ok(()),
            Err(SaveAllError::Conflict) => {}
            Err(SaveAllError::Store(error)) => return Err(error.into()),
        }
    }
    Err(WorkOnOrderError::Contended)
}
