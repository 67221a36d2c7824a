use domain::{CustomerId, EventStamp, OrderId, Outcome};

use super::{Cause, CustomerOrders, Orders, SaveError};
use crate::StoreError;

/// Maximum number of attempts when other writers change an order at the same time.
const ATTEMPTS: usize = 10;

/// How many orders are looked up at once.
const PAGE: usize = 100;

/// What was done to erase the data of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedCustomer {
    /// Orders that were redacted.
    pub redacted: u64,
    /// Orders that were redacted before.
    pub redacted_before: u64,
    /// Stored answers to requests and events that were redacted.
    pub answers: u64,
}

/// Other writers changed the order during every attempt.
#[derive(Debug, thiserror::Error)]
#[error("other writers kept changing the order {0}")]
struct Contended(OrderId);

/// Erases the data of a customer in ordering: redacts all orders of the customer, each in a transaction
/// of its own, and then the stored answers about them. `event_stamp` returns a new stamp for each event.
///
/// It can be repeated. A repeat continues where a call failed, and redacts the orders that were placed
/// since.
///
/// # Errors
/// [`StoreError::Unavailable`] when other writers keep changing an order; and when the store fails.
pub async fn erase_customer(
    orders: &(impl Orders + CustomerOrders),
    customer: &CustomerId,
    event_stamp: fn() -> EventStamp,
) -> Result<ErasedCustomer, StoreError> {
    let mut erased = ErasedCustomer::default();
    let mut after = None;
    loop {
        let page = orders.page(customer, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        for id in page {
            match redact(orders, id, event_stamp).await? {
                Outcome::Applied => erased.redacted += 1,
                Outcome::AlreadyApplied => erased.redacted_before += 1,
            }
        }
    }
    // Only now: until an order is redacted, answers with its texts can be stored.
    erased.answers = orders.redact_answers(customer).await?;
    Ok(erased)
}

async fn redact(
    orders: &impl Orders,
    id: OrderId,
    event_stamp: fn() -> EventStamp,
) -> Result<Outcome, StoreError> {
    for _ in 0..ATTEMPTS {
        // Orders are never deleted, except by a restore of an older backup.
        let Some(mut order) = orders.find(id).await? else { return Ok(Outcome::AlreadyApplied) };
        let outcome = order.redact(event_stamp());
        if !outcome.is_applied() {
            return Ok(outcome);
        }
        match orders.save(order, Cause::Unkeyed).await {
            Ok(_) => return Ok(outcome),
            Err(SaveError::VersionConflict) => {}
            Err(SaveError::Store(error)) => return Err(error),
            // Only requests have keys.
            Err(error @ SaveError::KeyReused) => return Err(StoreError::Broken(Box::new(error))),
        }
    }
    Err(StoreError::Unavailable(Box::new(Contended(id))))
}
