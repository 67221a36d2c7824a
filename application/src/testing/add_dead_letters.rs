//! Steps that add dead letters, for implementations of [`DeadLetterFixture`](super::DeadLetterFixture).

use domain::EventId;

use super::ordering_steps::{cancel, claim_due, place};
use super::{OrderingFixture, sample};
use crate::dead_letters::{
    ConsumerDeadLetters, DeadLetterFilter, DeadLetterNumber, DeadLetterQuery, DeadLetterStatus,
};
use crate::inbox::Inbox;
use crate::ordering::{Cause, Orders};
use crate::relay::{Claim, OutboxRecord, Verdict};

/// Stores the [`sample::dead_letter`] through the inbox of a consumer. Returns its number, also if it
/// was stored before.
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

/// Saves the event of sample order `n` with `version` and settles it as refused. Other events that are
/// due are published.
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
