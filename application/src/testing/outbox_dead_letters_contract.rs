//! Contract of [`OutboxDeadLetters`], in addition to that of [`DeadLetters`]: a refused event is due
//! again after a retry, and the retry is recorded.

#![allow(missing_docs, reason = "each test name is a sentence")]

use super::add_dead_letters::refuse;
use super::consumer_dead_letters_contract::{just_after, settled_at};
use super::dead_letters_contract::list;
use super::ordering_steps::{assert_nothing_due, relay_all};
use super::{DeadLetterFixture, OrderingFixture, sample};
use crate::dead_letters::{DeadLetterState, DeadLetterStatus, DeadLetters, OutboxDeadLetters};

/// Makes one `#[test]` per test function of [`outbox_dead_letters_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! outbox_dead_letters_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, outbox_dead_letters_contract:
            a_dead_letter_has_its_aggregate_and_the_type_of_its_event,
            an_open_dead_letter_is_not_due,
            a_retried_event_is_due_again_and_keeps_the_time_of_the_retry,
            an_event_is_retried_once,
            a_discarded_event_is_not_due_and_cannot_be_retried,
            an_event_that_is_refused_again_is_open_again_with_its_new_reason,
            a_retry_is_forgotten_after_a_time_and_the_event_stays_due,
            a_discarded_dead_letter_stays_as_long_as_its_event,
        }
    };
}

pub async fn a_dead_letter_has_its_aggregate_and_the_type_of_its_event<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters>,
{
    for (n, version, event_type) in [(1, 1, "OrderCreated"), (2, 2, "OrderCancelled")] {
        let event = fixture.add_dead_letter(n, version, "too large").await;
        assert_eq!(event, sample::event_id(n, version));
        let found = fixture
            .dead_letter_port()
            .find(event)
            .await
            .expect("an answer")
            .expect("a dead letter");
        assert_eq!(found.content.aggregate_id, sample::order_id(n).get());
        assert_eq!(found.content.aggregate_version, i64::from(version));
        assert_eq!(found.content.event_type, event_type);
    }
}

pub async fn an_open_dead_letter_is_not_due<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    fixture.add_dead_letter(1, 1, "too large").await;
    assert_nothing_due(fixture).await;
}

pub async fn a_retried_event_is_due_again_and_keeps_the_time_of_the_retry<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let event = fixture.add_dead_letter(1, 1, "too large").await;
    fixture.add_dead_letter(2, 1, "too large").await;
    assert!(fixture.dead_letter_port().make_due(event).await.expect("an answer"));
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, [sample::event_id(2, 1)]);
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, [event]);
    let found =
        fixture.dead_letter_port().find(event).await.expect("an answer").expect("it is kept");
    assert_eq!((found.id, found.reason.as_str()), (event, "too large"));
    let DeadLetterState::Retried { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);

    assert_eq!(relay_all(fixture, 1).await[0].event_id, event);
    assert_nothing_due(fixture).await;
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, [event], "the act stays recorded");
}

pub async fn an_event_is_retried_once<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let event = fixture.add_dead_letter(1, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    assert!(letters.make_due(event).await.expect("an answer"));
    assert!(!letters.make_due(event).await.expect("an answer"));
    assert_eq!(letters.discard(&[event]).await.expect("an answer"), []);
    assert!(!letters.make_due(fixture.unknown_id()).await.expect("an answer"));
    relay_all(fixture, 1).await;
    assert!(!letters.make_due(event).await.expect("an answer"), "it is published");
    assert_nothing_due(fixture).await;
}

pub async fn a_discarded_event_is_not_due_and_cannot_be_retried<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let event = fixture.add_dead_letter(1, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    letters.discard(&[event]).await.expect("an answer");
    assert!(!letters.make_due(event).await.expect("an answer"));
    assert_nothing_due(fixture).await;
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [event]);
}

pub async fn an_event_that_is_refused_again_is_open_again_with_its_new_reason<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let event = fixture.add_dead_letter(1, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    for reason in ["still too large", "not allowed"] {
        assert!(letters.make_due(event).await.expect("an answer"));
        refuse(fixture, event, reason).await;
        assert_eq!(list(fixture, DeadLetterStatus::Open).await, [event]);
        assert_eq!(list(fixture, DeadLetterStatus::Retried).await, []);
        let found = letters.find(event).await.expect("an answer").expect("a dead letter");
        assert_eq!((found.reason.as_str(), found.state), (reason, DeadLetterState::Open));
    }
    letters.discard(&[event]).await.expect("an answer");
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [event]);
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, []);
}

pub async fn a_retry_is_forgotten_after_a_time_and_the_event_stays_due<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let event = fixture.add_dead_letter(1, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    letters.make_due(event).await.expect("an answer");
    let retried_at = settled_at(fixture, event).await;
    assert_eq!(letters.delete_settled(retried_at, 10).await.expect("an answer"), 0);
    let before = just_after(retried_at);
    assert_eq!(letters.delete_settled(before, 10).await.expect("an answer"), 1);
    assert!(letters.find(event).await.expect("an answer").is_none());
    assert_eq!(relay_all(fixture, 1).await[0].event_id, event);
}

pub async fn a_discarded_dead_letter_stays_as_long_as_its_event<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: OutboxDeadLetters> + OrderingFixture,
{
    let discarded = fixture.add_dead_letter(1, 1, "too large").await;
    let open = fixture.add_dead_letter(2, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    letters.discard(&[discarded]).await.expect("an answer");
    let before = just_after(settled_at(fixture, discarded).await);
    assert_eq!(letters.delete_settled(before, 10).await.expect("an answer"), 0);
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [discarded]);
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, [open]);
    assert_nothing_due(fixture).await;
}
