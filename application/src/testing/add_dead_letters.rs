//! Makes dead letters, for the fixtures under test.

use domain::EventId;

use super::orders_contract::{cancel, place};
use super::{OrderingFixture, sample};
use crate::dead_letters::{
    ConsumerDeadLetters, DeadLetterFilter, DeadLetterNumber, DeadLetterQuery, DeadLetterStatus,
};
use crate::inbox::Inbox;
use crate::ordering::{Cause, Orders};
use crate::relay::{Claim, Outbox, Verdict};

/// How often it is looked again for what the store is still busy with.
const PATIENCE: usize = 500;

/// Keeps the [`sample::dead_letter`] and gives its number: what a fixture of a consumer lets die.
pub async fn store_dead_letter(
    inbox: &impl Inbox,
    letters: &impl ConsumerDeadLetters,
    n: u32,
    version: u32,
    reason: &str,
) -> DeadLetterNumber {
    let dead = sample::dead_letter(n, version, reason);
    inbox.apply_batch(&[], std::slice::from_ref(&dead)).await.expect("kept");
    for status in [DeadLetterStatus::Open, DeadLetterStatus::Retried, DeadLetterStatus::Discarded] {
        let query = DeadLetterQuery { status, filter: &DeadLetterFilter::default(), after: None };
        let found = letters.page(query, 10_000).await.expect("an answer");
        if let Some(kept) = found.iter().find(|kept| kept.content == dead.record) {
            return kept.id;
        }
    }
    panic!("the record is not kept");
}

/// Refuses the event by which sample order `n` came to be at `version`, and publishes what is due
/// before it: what a fixture of ordering lets die.
pub async fn refuse_event<F: OrderingFixture>(
    fixture: &F,
    n: u32,
    version: u32,
    reason: &str,
) -> EventId {
    let orders = fixture.orders();
    if orders.find(sample::order_id(n)).await.expect("an answer").is_none() {
        place(&orders, n, Cause::Unkeyed).await;
    }
    if version == 2 {
        cancel(&orders, n, Cause::Unkeyed).await;
    }
    refuse(fixture, sample::event_id(n, version), reason).await
}

/// Relays until this event comes, and refuses it.
pub(super) async fn refuse<F: OrderingFixture>(
    fixture: &F,
    event: EventId,
    reason: &str,
) -> EventId {
    for _ in 0..PATIENCE {
        let Some(claim) = fixture.outbox().claim(100).await.expect("an answer") else {
            fixture.let_delays_pass().await;
            continue;
        };
        let records = claim.records();
        let found = records.iter().any(|record| record.event_id == event);
        let verdicts: Vec<Verdict> = records
            .iter()
            .map(|record| {
                if record.event_id == event {
                    Verdict::Refused(reason.to_owned())
                } else {
                    Verdict::Published
                }
            })
            .collect();
        claim.settle(&verdicts).await.expect("settled");
        if found {
            return event;
        }
    }
    panic!("the event did not come to be due");
}
