use std::collections::HashMap;

use domain::OrderId;
use domain::pharmacy::{PharmacyEvent, PharmacyFact, PharmacyOrder, Rejection, RejectionText};

use super::{OrderRevision, PharmacyOrders, SaveAllError};
use crate::StoreError;
use crate::published::{PharmacyPayload, PublishedEvent};

/// An event that this program would not have published.
#[derive(Debug, thiserror::Error)]
#[error("the event {0} of the pharmacy has a rejection that this program does not know")]
struct UnknownRejection(domain::EventId);

/// Recovers the work on orders from the pharmacy's own published events, after its database was lost
/// or restored from a backup. Returns how many events were missing.
///
/// Nothing is recorded or published again. Ordering's events can be received before or afterwards;
/// afterwards, no request to cancel is answered a second time. Run it while no other program writes.
///
/// # Errors
/// When an event is not one of the pharmacy's, other programs write the same orders, or the store
/// fails.
pub async fn recover_work(
    orders: &impl PharmacyOrders,
    events: &[PublishedEvent<PharmacyPayload>],
) -> Result<u64, StoreError> {
    let mut ids: Vec<OrderId> = events.iter().map(|event| event.order_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = orders.find_all(&ids).await?;
    let mut known: HashMap<OrderId, OrderRevision> =
        known.into_iter().map(|revised| (revised.order.id(), revised)).collect();
    let (mut recovered, mut changed) = (0, Vec::new());
    for event in events {
        let id = event.order_id;
        let new = || OrderRevision { order: PharmacyOrder::new(id), revision: 0 };
        let revised = known.entry(id).or_insert_with(new);
        if revised.order.recover(&recorded(event)?).is_applied() {
            recovered += 1;
            changed.push(id);
        }
    }
    changed.sort_unstable();
    changed.dedup();
    let changed: Vec<_> = changed.iter().filter_map(|id| known.remove(id)).collect();
    if changed.is_empty() {
        return Ok(0);
    }
    match orders.save_all(&changed, &[]).await {
        Ok(()) => Ok(recovered),
        Err(SaveAllError::Conflict) => {
            Err(StoreError::Unavailable("another program writes the same orders".into()))
        }
        Err(SaveAllError::Store(error)) => Err(error),
    }
}

/// The event as the pharmacy recorded it.
fn recorded(event: &PublishedEvent<PharmacyPayload>) -> Result<PharmacyEvent, StoreError> {
    let fact = match &event.payload {
        PharmacyPayload::Confirmed => PharmacyFact::Confirmed,
        PharmacyPayload::PreparationStarted => PharmacyFact::PreparationStarted,
        PharmacyPayload::Ready => PharmacyFact::Ready,
        PharmacyPayload::Dispensed => PharmacyFact::Dispensed,
        PharmacyPayload::Rejected { code, text } => {
            let rejection = code.parse().ok().zip(RejectionText::restore(text).ok());
            let (code, text) = rejection
                .ok_or_else(|| StoreError::Refused(Box::new(UnknownRejection(event.event_id))))?;
            PharmacyFact::Rejected(Rejection { code, text })
        }
        &PharmacyPayload::Cancelled { order_version } => PharmacyFact::Cancelled { order_version },
        &PharmacyPayload::CancellationDeclined { order_version } => {
            PharmacyFact::CancellationDeclined { order_version }
        }
    };
    Ok(PharmacyEvent {
        id: event.event_id,
        occurred_at: event.occurred_at,
        order_id: event.order_id,
        version: event.version,
        fact,
    })
}
