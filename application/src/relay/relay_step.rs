use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use super::{Claim, Delivery, Outbox, OutboxRecord, Publisher, Verdict};
use crate::StoreError;

/// The result of one step of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing was due.
    Idle,
    /// A batch was processed.
    Relayed {
        /// How many records Kafka has acknowledged.
        published: usize,
        /// How many records were not published: they failed, were refused, or wait for an earlier
        /// record.
        unpublished: usize,
    },
    /// Kafka is unavailable. Records without an acknowledgement stay due. Wait before the next
    /// step.
    Outage(String),
}

/// Claims a batch of records, publishes it and stores the results.
///
/// The batch is published in waves with at most one event per order. The next event of an order is
/// sent only after the previous one is acknowledged.
///
/// `more` is called before publishing if other workers may find records that are due. `clock` is
/// called after the claim and returns a function for the time left. All waves share this time;
/// records that it is too short for stay due.
///
/// # Errors
/// When the outbox fails. No event is lost: a published event whose result was not stored is
/// published again.
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

/// Publishes the records in waves. A wave has the earliest unpublished event of each order.
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
        // An event that is not published holds back the later events of its order. This includes a
        // refused event until the refusal is stored: if this relay crashes before that, the event
        // is sent again, and Kafka might accept it then.
        let mut held: HashSet<Uuid> = batch.iter().map(|record| record.aggregate_id).collect();
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
                held.remove(&records[index].aggregate_id);
            }
            verdicts[index] = verdict;
        }
        waiting = later.into_iter().filter(|&i| !held.contains(&records[i].aggregate_id)).collect();
    }
    (verdicts, outage)
}

fn next_wave(records: &[OutboxRecord], waiting: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut orders: HashSet<Uuid> = HashSet::with_capacity(waiting.len());
    waiting.iter().partition(|&&index| orders.insert(records[index].aggregate_id))
}
