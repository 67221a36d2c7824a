use std::collections::HashMap;

use domain::pharmacy::{Cancellation, Contents, PharmacyOrder, RequestedItem, RequestedMedication};
use domain::{EventId, EventStamp, OrderId, Timestamp};
use uuid::Uuid;

use super::{OrderRevision, PharmacyOrders, SaveAllError};
use crate::StoreError;
use crate::inbox::{BatchOutcome, Inbox};
use crate::published::{DeadLetter, Payload, PublishedEvent, PublishedItem};

/// Maximum number of conflicts of a single event.
const ATTEMPTS: usize = 10;

/// The inbox of the pharmacy: applies events to the pharmacy's orders.
///
/// All orders of a batch are loaded and saved together. If a pharmacist or another consumer saves one
/// of them meanwhile, the batch is applied again in two halves. So a batch with many orders ends, also
/// while pharmacists work on them all the time.
#[derive(Debug, Clone)]
pub struct ReceiveOrders<S> {
    /// The orders.
    pub orders: S,
    /// The clock for the events that answer the received ones.
    pub now: fn() -> Timestamp,
}

impl<S: PharmacyOrders> Inbox for ReceiveOrders<S> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let mut total = BatchOutcome { dead: dead.len() as u64, ..BatchOutcome::default() };
        let mut conflicts = 0;
        // The next part is the last one of this list.
        let mut parts = vec![events];
        while let Some(part) = parts.pop() {
            let (changed, outcome) = apply_events(&self.orders, part, self.now).await?;
            let dead = if parts.is_empty() { dead } else { &[] };
            let saved = if changed.is_empty() && dead.is_empty() {
                Ok(())
            } else {
                self.orders.save_all(&changed, dead).await
            };
            match saved {
                Ok(()) => {
                    total.add(outcome);
                    conflicts = 0;
                }
                Err(SaveAllError::Conflict) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(SaveAllError::Conflict) if conflicts < ATTEMPTS => {
                    conflicts += 1;
                    parts.push(part);
                }
                Err(SaveAllError::Conflict) => {
                    return Err(StoreError::Unavailable("others kept changing this order".into()));
                }
                Err(SaveAllError::Store(error)) => return Err(error),
            }
        }
        Ok(total)
    }
}

/// Loads the orders of these events and applies the events. Returns the changed orders.
async fn apply_events(
    orders: &impl PharmacyOrders,
    events: &[PublishedEvent],
    now: fn() -> Timestamp,
) -> Result<(Vec<OrderRevision>, BatchOutcome), StoreError> {
    let mut ids: Vec<OrderId> = events.iter().map(|event| event.order_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = orders.find_all(&ids).await?;
    let mut known: HashMap<OrderId, OrderRevision> =
        known.into_iter().map(|revised| (revised.order.id(), revised)).collect();

    let mut outcome = BatchOutcome::default();
    let mut changed: Vec<OrderId> = Vec::new();
    for event in events {
        let revised = known.entry(event.order_id).or_insert_with(|| OrderRevision {
            order: PharmacyOrder::new(event.order_id),
            revision: 0,
        });
        let missing = revised.order.snapshot().versions.missing();
        if apply(&mut revised.order, event, now()).is_applied() {
            outcome.applied += 1;
            let added = revised.order.snapshot().versions.missing() - missing;
            outcome.missing += u64::try_from(added).unwrap_or(0);
            changed.push(event.order_id);
        } else {
            outcome.repeated += 1;
        }
    }
    changed.sort_unstable();
    changed.dedup();
    Ok((changed.iter().filter_map(|id| known.remove(id)).collect(), outcome))
}

fn apply(order: &mut PharmacyOrder, event: &PublishedEvent, at: Timestamp) -> domain::Outcome {
    match &event.payload {
        Payload::OrderCreated { customer_name, items, note, .. } => {
            let contents = Contents {
                customer_name: customer_name.clone(),
                items: items.iter().map(requested).collect(),
                note: note.clone(),
                ordered_at: event.occurred_at,
            };
            order.order_created(event.version, contents)
        }
        Payload::OrderCancellationRequested { reason } | Payload::OrderCancelled { reason } => {
            let cancellation = Cancellation { reason: reason.clone(), at: event.occurred_at };
            let answer = EventStamp { event_id: answer_to(event.event_id), at };
            order.cancellation_told(event.version, cancellation, answer)
        }
        Payload::OrderRedacted => order.order_redacted(event.version),
        Payload::OrderConfirmed
        | Payload::OrderReady
        | Payload::OrderCompleted
        | Payload::OrderRejected { .. }
        | Payload::OrderCancellationDeclined => order.order_changed(event.version),
    }
}

/// The id of the event that answers this one. It is always the same, so that a pharmacy that has lost
/// its answer publishes it again, and not a second one.
fn answer_to(event: EventId) -> EventId {
    /// An arbitrary constant. It makes these ids different from other name-based UUIDs.
    const NAMESPACE: Uuid = Uuid::from_u128(0x7068_6172_6d61_5359_8445_5253_0000_0002);
    EventId::new(Uuid::new_v5(&NAMESPACE, event.get().as_bytes()))
}

fn requested(item: &PublishedItem) -> RequestedItem {
    RequestedItem {
        product_id: item.product_id,
        quantity: item.quantity,
        medication: item.medication.as_ref().map(|medication| RequestedMedication {
            system: medication.system.clone(),
            code: medication.code.clone(),
            display: medication.display.clone(),
        }),
    }
}
