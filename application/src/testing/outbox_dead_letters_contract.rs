//! What every [`OutboxDeadLetters`] must do besides: make a refused event due again, and record when.

#![allow(missing_docs, reason = "the name of a rule is its sentence")]

use super::dead_letters_contract::list;
use super::dead_letters_made::refuse;
use super::outbox_contract::{assert_nothing_due, relay_all};
use super::{DeadLetterWorld, OrderingWorld, sample};
use crate::dead_letters::{DeadLetterState, DeadLetterStatus, DeadLetters, OutboxDeadLetters};

/// Makes a `#[test]` of each rule of [`outbox_dead_letters_contract`](self): `(run, world)`.
#[macro_export]
macro_rules! outbox_dead_letters_contract {
    ($run:path, $world:expr) => {
        $crate::contract_tests! { $run, $world, outbox_dead_letters_contract:
            a_dead_letter_names_its_order_and_the_type_of_its_event,
            an_open_dead_letter_is_not_due,
            a_retried_event_is_due_again_and_keeps_the_time_of_the_retry,
            an_event_is_retried_once,
            a_discarded_event_is_not_due_and_cannot_be_retried,
            an_event_that_is_refused_again_is_open_again_with_its_new_reason,
        }
    };
}

pub async fn a_dead_letter_names_its_order_and_the_type_of_its_event<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters>,
{
    for (n, version, event_type) in [(1, 1, "OrderCreated"), (2, 2, "OrderCancelled")] {
        let event = world.let_die(n, version, "too large").await;
        assert_eq!(event, sample::event_id(n, version));
        let found = world.letters().find(event).await.expect("an answer").expect("a dead letter");
        assert_eq!(found.content.order_id, sample::order_id(n));
        assert_eq!(found.content.order_version.get(), i64::from(version));
        assert_eq!(found.content.event_type, event_type);
    }
}

pub async fn an_open_dead_letter_is_not_due<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters> + OrderingWorld,
{
    world.let_die(1, 1, "too large").await;
    assert_nothing_due(world).await;
}

pub async fn a_retried_event_is_due_again_and_keeps_the_time_of_the_retry<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters> + OrderingWorld,
{
    let event = world.let_die(1, 1, "too large").await;
    world.let_die(2, 1, "too large").await;
    assert!(world.letters().make_due(event).await.expect("an answer"));
    assert_eq!(list(world, DeadLetterStatus::Open).await, [sample::event_id(2, 1)]);
    assert_eq!(list(world, DeadLetterStatus::Retried).await, [event]);
    let found = world.letters().find(event).await.expect("an answer").expect("it is kept");
    assert_eq!((found.id, found.reason.as_str()), (event, "too large"));
    let DeadLetterState::Retried { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);

    assert_eq!(relay_all(world, 1).await[0].event_id, event);
    assert_nothing_due(world).await;
    assert_eq!(list(world, DeadLetterStatus::Retried).await, [event], "the act stays recorded");
}

pub async fn an_event_is_retried_once<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters> + OrderingWorld,
{
    let event = world.let_die(1, 1, "too large").await;
    let letters = world.letters();
    assert!(letters.make_due(event).await.expect("an answer"));
    assert!(!letters.make_due(event).await.expect("an answer"));
    assert_eq!(letters.discard(&[event]).await.expect("an answer"), []);
    assert!(!letters.make_due(world.unknown_id()).await.expect("an answer"));
    relay_all(world, 1).await;
    assert!(!letters.make_due(event).await.expect("an answer"), "it is published");
    assert_nothing_due(world).await;
}

pub async fn a_discarded_event_is_not_due_and_cannot_be_retried<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters> + OrderingWorld,
{
    let event = world.let_die(1, 1, "too large").await;
    let letters = world.letters();
    letters.discard(&[event]).await.expect("an answer");
    assert!(!letters.make_due(event).await.expect("an answer"));
    assert_nothing_due(world).await;
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, [event]);
}

pub async fn an_event_that_is_refused_again_is_open_again_with_its_new_reason<W>(world: &W)
where
    W: DeadLetterWorld<Letters: OutboxDeadLetters> + OrderingWorld,
{
    let event = world.let_die(1, 1, "too large").await;
    let letters = world.letters();
    for reason in ["still too large", "not allowed"] {
        assert!(letters.make_due(event).await.expect("an answer"));
        refuse(world, event, reason).await;
        assert_eq!(list(world, DeadLetterStatus::Open).await, [event]);
        assert_eq!(list(world, DeadLetterStatus::Retried).await, []);
        let found = letters.find(event).await.expect("an answer").expect("a dead letter");
        assert_eq!((found.reason.as_str(), found.state), (reason, DeadLetterState::Open));
    }
    letters.discard(&[event]).await.expect("an answer");
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, [event]);
    assert_eq!(list(world, DeadLetterStatus::Retried).await, []);
}
