use domain::ordering::PharmacyNews;
use domain::{EventId, EventStamp, OrderId, Outcome};

use super::{Cause, Orders, SaveError, Saved};
use crate::StoreError;

/// Maximum number of attempts when other writers change the order at the same time.
const ATTEMPTS: usize = 10;

/// An event of the pharmacy about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyReport {
    /// The id of the pharmacy's event.
    pub event_id: EventId,
    /// The order.
    pub order_id: OrderId,
    /// What happened.
    pub news: PharmacyNews,
}

/// The pharmacy reports about an order that ordering does not have.
#[derive(Debug, thiserror::Error)]
#[error("there is no order {0}")]
struct UnknownOrder(OrderId);

/// Other writers changed the order during every attempt.
#[derive(Debug, thiserror::Error)]
#[error("other writers kept changing the order {0}")]
struct Contended(OrderId);

/// Lets an order follow what the pharmacy reports. `event_stamp` is for the event that the order may
/// record.
///
/// Each event of the pharmacy is answered once, also if it changes nothing. A repeat changes nothing.
///
/// # Errors
/// [`StoreError::Refused`] when the order does not exist; [`StoreError::Unavailable`] when other writers
/// keep changing it; and when the store fails.
pub async fn follow_pharmacy(
    orders: &impl Orders,
    report: PharmacyReport,
    event_stamp: EventStamp,
) -> Result<Outcome, StoreError> {
    let PharmacyReport { event_id, order_id, news } = report;
    for _ in 0..ATTEMPTS {
        let mut order = orders
            .find(order_id)
            .await?
            .ok_or_else(|| StoreError::Refused(Box::new(UnknownOrder(order_id))))?;
        let outcome = order.follow(news.clone(), event_stamp);
        match orders.save(order, Cause::Event(event_id)).await {
            Ok(Saved::Stored(_)) => return Ok(outcome),
            Ok(Saved::AnsweredBefore(_)) => return Ok(Outcome::AlreadyApplied),
            Err(SaveError::VersionConflict) => {}
            Err(SaveError::Store(error)) => return Err(error),
            // Only requests have keys.
            Err(error @ SaveError::KeyReused) => return Err(StoreError::Broken(Box::new(error))),
        }
    }
    Err(StoreError::Unavailable(Box::new(Contended(order_id))))
}
