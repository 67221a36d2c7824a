use std::collections::HashSet;
use std::time::Duration;

use domain::OrderId;

use super::{Claim, Delivery, Outbox, OutboxRecord, Publisher, Verdict};
use crate::StoreError;

/// What one step of the relay did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due.
    Idle,
    /// A batch was carried over.
    Relayed {
        /// Records that Kafka has acknowledged.
        published: usize,
        /// Records to be tried again, or waiting behind one that is.
        unpublished: usize,
    },
    /// Kafka could not be reached; what was not acknowledged stays due. Wait before the next step.
    Outage(String),
}

/// Claims a batch, publishes it and notes what was published.
///
/// `more` hears, before the batch goes on its way to Kafka, that another worker may find something as
/// well. The second event of an order is sent only once the first is acknowledged; if the first is not,
/// the second stays behind it.
///
/// `clock` is started once the batch is claimed, and tells how long it may still be held. However many
/// waves the batch has, they share that time; what it does not suffice for stays due.
///
/// # Errors
/// When the outbox fails. Nothing is lost: what was published but not noted is published again.
pub async fn relay_step<O: Outbox, C: Fn() -> Duration>(
    outbox: &O,
    publisher: &impl Publisher,
    limit: usize,
    more: impl FnOnce(),
    clock: impl FnOnce() -> C,
) -> Result<Step, StoreError> {
    let Some(claim) = outbox.claim(limit).await? else {
        return Ok(Step::Idle);
    };
    let time_left = clock();
    if claim.more_may_be_due() {
        more();
    }
    let (verdicts, outage) = publish_in_waves(publisher, claim.records(), time_left).await;
    let published = verdicts.iter().filter(|v| matches!(v, Verdict::Published)).count();
    let unpublished = verdicts.len() - published;
    claim.settle(&verdicts).await?;
    Ok(match outage {
        Some(why) => Step::Outage(why),
        None => Step::Relayed { published, unpublished },
    })
}

/// Each wave holds at most one event of an order: the earliest that is left.
async fn publish_in_waves(
    publisher: &impl Publisher,
    records: &[OutboxRecord],
    time_left: impl Fn() -> Duration,
) -> (Vec<Verdict>, Option<String>) {
    let mut verdicts = vec![Verdict::Unsent; records.len()];
    let (mut outage, mut out_of_time) = (None, false);
    let mut waiting: Vec<usize> = (0..records.len()).collect();
    while !waiting.is_empty() && outage.is_none() && !out_of_time {
        let (wave, later) = next_wave(records, &waiting);
        let batch: Vec<&OutboxRecord> = wave.iter().map(|&index| &records[index]).collect();
        let deliveries = publisher.publish(&batch, time_left()).await;
        // Whatever is not published holds its order's later events. So does a refusal, until the
        // claim has noted it: should this relay die before, the event is tried once more, and might
        // be taken that time.
        let mut held: HashSet<OrderId> = batch.iter().map(|record| record.order_id).collect();
        for (&index, delivery) in wave.iter().zip(deliveries) {
            let verdict = match delivery {
                Delivery::Acknowledged => Verdict::Published,
                Delivery::Refused(why) => Verdict::Refused(why),
                Delivery::Failed(why) => Verdict::Failed(why),
                Delivery::Unsent => {
                    out_of_time = true;
                    Verdict::Unsent
                }
                Delivery::Unreachable(why) => {
                    outage = Some(why);
                    Verdict::Unsent
                }
            };
            if verdict == Verdict::Published {
                held.remove(&records[index].order_id);
            }
            verdicts[index] = verdict;
        }
        waiting = later.into_iter().filter(|&i| !held.contains(&records[i].order_id)).collect();
    }
    (verdicts, outage)
}

fn next_wave(records: &[OutboxRecord], waiting: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut orders: HashSet<OrderId> = HashSet::with_capacity(waiting.len());
    waiting.iter().partition(|&&index| orders.insert(records[index].order_id))
}
