//! Makes dead letters, for the fixtures under test.

use domain::EventId;

use super::ordering_steps::{cancel, claim_due, place};
use super::{OrderingFixture, sample};
use crate::dead_letters::{
    ConsumerDeadLetters, DeadLetterFilter, DeadLetterNumber, DeadLetterQuery, DeadLetterStatus,
};
use crate::inbox::Inbox;
use crate::ordering::{Cause, Orders};
use crate::relay::{Claim, OutboxRecord, Verdict};

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

/// Claims until this event comes, and refuses it. Whatever else is due is published.
pub(super) async fn refuse<F: OrderingFixture>(
    fixture: &F,
    event: EventId,
    reason: &str,
) -> EventId {
    loop {
        let claim = claim_due(fixture, 100).await;
        let is_wanted = |record: &OutboxRecord| record.event_id == event;
        let found = claim.records().iter().any(is_wanted);
        let verdict = |record: &OutboxRecord| {
            let refused = is_wanted(record).then(|| Verdict::Refused(reason.to_owned()));
            refused.unwrap_or(Verdict::Published)
        };
        let verdicts: Vec<Verdict> = claim.records().iter().map(verdict).collect();
        claim.settle(&verdicts).await.expect("settled");
        if found {
            return event;
        }
    }
}
