use std::collections::HashMap;

use domain::OrderId;
use domain::pharmacy::{Contents, PharmacyOrder, RequestedItem, RequestedMedication};

use super::{OrderRevision, PharmacyOrders, SaveAllError};
use crate::StoreError;
use crate::inbox::{BatchOutcome, Inbox};
use crate::published::{DeadLetter, Payload, PublishedEvent, PublishedItem};

/// Maximum number of retries when other consumers save the same orders first.
const ATTEMPTS: usize = 10;

/// The inbox of the pharmacy: applies events to the pharmacy's orders.
///
/// All orders of a batch are loaded and saved together. Other consumers may save the same orders at
/// the same time; then the batch is loaded and applied again.
#[derive(Debug, Clone)]
pub struct ReceiveOrders<S>(pub S);

impl<S: PharmacyOrders> Inbox for ReceiveOrders<S> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let mut attempt = 0;
        loop {
            let (changed, mut outcome) = apply_events(&self.0, events).await?;
            outcome.dead = dead.len() as u64;
            if changed.is_empty() && dead.is_empty() {
                return Ok(outcome);
            }
            match self.0.save_all(&changed, dead).await {
                Ok(()) => return Ok(outcome),
                Err(SaveAllError::Conflict) if attempt < ATTEMPTS => attempt += 1,
                Err(SaveAllError::Conflict) => {
                    return Err(StoreError::Unavailable(
                        "other consumers kept changing the same orders".into(),
                    ));
                }
                Err(SaveAllError::Store(error)) => return Err(error),
            }
        }
    }
}

/// Loads the orders of these events and applies the events. Returns the changed orders.
async fn apply_events(
    orders: &impl PharmacyOrders,
    events: &[PublishedEvent],
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
        let missing = revised.order.snapshot().missing;
        if apply(&mut revised.order, event).is_applied() {
            outcome.applied += 1;
            let added = revised.order.snapshot().missing - missing;
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

fn apply(order: &mut PharmacyOrder, event: &PublishedEvent) -> domain::Outcome {
    match &event.payload {
        Payload::OrderCreated { customer_name, items, note } => {
            let contents = Contents {
                customer_name: customer_name.clone(),
                items: items.iter().map(requested).collect(),
                note: note.clone(),
                ordered_at: event.occurred_at,
            };
            order.order_created(event.order_version, contents)
        }
        Payload::OrderCancelled { reason } => {
            order.order_cancelled(event.order_version, reason.clone(), event.occurred_at)
        }
    }
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
