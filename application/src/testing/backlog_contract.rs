//! Contract of [`MeasureBacklog`]: the figures follow what became of each event.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::time::Duration;

use super::ordering_steps::{MAX_TRIES, cancel, claim_due, place, relay_all};
use super::{OperatorFixture, refuse_event};
use crate::ordering::Cause;
use crate::relay::{Backlog, Claim, MeasureBacklog, Outbox, Verdict};

/// Makes one `#[test]` per test function of [`backlog_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! backlog_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, backlog_contract:
            an_empty_outbox_has_no_backlog,
            an_event_counts_until_it_is_published,
            the_oldest_event_grows_older_while_it_waits,
            a_failed_event_counts_as_failed_until_it_is_published,
            a_refused_event_counts_as_a_dead_letter,
        }
    };
}

pub async fn an_empty_outbox_has_no_backlog<F: OperatorFixture>(fixture: &F) {
    assert_eq!(measure(fixture).await, Backlog::default());
    assert!(measure(fixture).await.is_published());
}

pub async fn an_event_counts_until_it_is_published<F: OperatorFixture>(fixture: &F) {
    let orders = fixture.orders();
    for n in 1..=3 {
        place(&orders, n, Cause::Unkeyed).await;
    }
    cancel(&orders, 1, Cause::Unkeyed).await;
    let backlog = measure(fixture).await;
    assert_eq!(backlog, Backlog { unprocessed: 4, oldest: backlog.oldest, ..Backlog::default() });
    assert!(!backlog.is_published());
    relay_all(fixture, 4).await;
    assert_eq!(measure(fixture).await, Backlog::default());
}

pub async fn the_oldest_event_grows_older_while_it_waits<F: OperatorFixture>(fixture: &F) {
    place(&fixture.orders(), 1, Cause::Unkeyed).await;
    for _ in 0..MAX_TRIES {
        fixture.let_delays_pass().await;
        if measure(fixture).await.oldest > Duration::ZERO {
            return;
        }
    }
    panic!("the oldest event does not grow older");
}

pub async fn a_failed_event_counts_as_failed_until_it_is_published<F: OperatorFixture>(
    fixture: &F,
) {
    place(&fixture.orders(), 1, Cause::Unkeyed).await;
    let claim = claim_due(fixture, 100).await;
    claim.settle(&[Verdict::Failed("not today".to_owned())]).await.expect("settled");
    let backlog = measure(fixture).await;
    let expected = Backlog { unprocessed: 1, failed: 1, ..Backlog::default() };
    assert_eq!(backlog, Backlog { oldest: backlog.oldest, ..expected });
    assert!(backlog.is_published(), "it waits for its own sake");

    cancel(&fixture.orders(), 1, Cause::Unkeyed).await;
    assert!(fixture.outbox().claim(100).await.expect("an answer").is_none());
    let backlog = measure(fixture).await;
    let expected = Backlog { unprocessed: 2, failed: 1, held: 1, ..Backlog::default() };
    assert_eq!(backlog, Backlog { oldest: backlog.oldest, ..expected });
    assert!(backlog.is_published(), "the second event waits for the first");
    relay_all(fixture, 2).await;
    assert_eq!(measure(fixture).await, Backlog::default());
}

pub async fn a_refused_event_counts_as_a_dead_letter<F: OperatorFixture>(fixture: &F) {
    refuse_event(fixture, 1, 1, "too large").await;
    let expected = Backlog { dead: 1, ..Backlog::default() };
    assert_eq!(measure(fixture).await, expected);
    place(&fixture.orders(), 2, Cause::Unkeyed).await;
    let backlog = measure(fixture).await;
    assert_eq!(backlog, Backlog { unprocessed: 1, oldest: backlog.oldest, ..expected });
}

async fn measure<F: OperatorFixture>(fixture: &F) -> Backlog {
    fixture.backlog().measure().await.expect("an answer")
}
