//! What every [`ConsumerDeadLetters`] must do besides: keep each record whole and once, and record
//! that it was retried.

#![allow(missing_docs, reason = "the name of a rule is its sentence")]

use super::dead_letters_contract::list;
use super::{DeadLetterWorld, sample};
use crate::dead_letters::{ConsumerDeadLetters, DeadLetterState, DeadLetterStatus, DeadLetters};

/// Makes a `#[test]` of each rule of [`consumer_dead_letters_contract`](self): `(run, world)`.
#[macro_export]
macro_rules! consumer_dead_letters_contract {
    ($run:path, $world:expr) => {
        $crate::contract_tests! { $run, $world, consumer_dead_letters_contract:
            a_dead_letter_keeps_its_record_as_it_came,
            a_retried_dead_letter_is_not_open_any_more_and_keeps_its_time,
            a_dead_letter_is_retried_or_discarded_and_not_both,
            a_new_reason_replaces_the_old_one_while_the_dead_letter_is_open,
            a_record_that_comes_again_does_not_open_its_dead_letter_again,
        }
    };
}

pub async fn a_dead_letter_keeps_its_record_as_it_came<W>(world: &W)
where
    W: DeadLetterWorld<Letters: ConsumerDeadLetters>,
{
    let number = world.let_die(1, 1, "not Avro").await;
    let found = world.letters().find(number).await.expect("an answer").expect("a dead letter");
    assert_eq!(found.content, sample::dead_letter(1, 1, "not Avro").record);
}

pub async fn a_retried_dead_letter_is_not_open_any_more_and_keeps_its_time<W>(world: &W)
where
    W: DeadLetterWorld<Letters: ConsumerDeadLetters>,
{
    let number = world.let_die(1, 1, "not Avro").await;
    assert!(world.letters().mark_retried(number).await.expect("an answer"));
    assert_eq!(list(world, DeadLetterStatus::Open).await, []);
    assert_eq!(list(world, DeadLetterStatus::Retried).await, [number]);
    let found = world.letters().find(number).await.expect("an answer").expect("it is kept");
    let DeadLetterState::Retried { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);
}

pub async fn a_dead_letter_is_retried_or_discarded_and_not_both<W>(world: &W)
where
    W: DeadLetterWorld<Letters: ConsumerDeadLetters>,
{
    let letters = world.letters();
    let retried = world.let_die(1, 1, "not Avro").await;
    let discarded = world.let_die(2, 1, "not Avro").await;
    assert!(letters.mark_retried(retried).await.expect("an answer"));
    assert_eq!(letters.discard(&[discarded]).await.expect("an answer"), [discarded]);

    assert_eq!(letters.discard(&[retried]).await.expect("an answer"), []);
    assert!(!letters.mark_retried(retried).await.expect("an answer"));
    assert!(!letters.mark_retried(discarded).await.expect("an answer"));
    assert!(!letters.mark_retried(world.unknown_id()).await.expect("an answer"));
    assert_eq!(list(world, DeadLetterStatus::Retried).await, [retried]);
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, [discarded]);
}

pub async fn a_new_reason_replaces_the_old_one_while_the_dead_letter_is_open<W>(world: &W)
where
    W: DeadLetterWorld<Letters: ConsumerDeadLetters>,
{
    let letters = world.letters();
    let number = world.let_die(1, 1, "not Avro").await;
    let reason = async || letters.find(number).await.expect("an answer").expect("kept").reason;
    letters.note_reason(number, "schema 7 is unknown").await.expect("noted");
    assert_eq!(reason().await, "schema 7 is unknown");
    letters.discard(&[number]).await.expect("an answer");
    letters.note_reason(number, "too late").await.expect("an answer");
    assert_eq!(reason().await, "schema 7 is unknown");
}

pub async fn a_record_that_comes_again_does_not_open_its_dead_letter_again<W>(world: &W)
where
    W: DeadLetterWorld<Letters: ConsumerDeadLetters>,
{
    let open = world.let_die(1, 1, "not Avro").await;
    let discarded = world.let_die(2, 1, "not Avro").await;
    world.letters().discard(&[discarded]).await.expect("an answer");
    assert_eq!(world.let_die(1, 1, "again").await, open);
    assert_eq!(world.let_die(2, 1, "again").await, discarded);
    assert_eq!(list(world, DeadLetterStatus::Open).await, [open]);
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, [discarded]);
}
