//! Contract of [`ConsumerDeadLetters`], in addition to that of [`DeadLetters`]: each record is stored
//! unchanged and once, and a retry is recorded.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Timestamp;

use super::dead_letters_contract::list;
use super::{DeadLetterFixture, sample};
use crate::dead_letters::{ConsumerDeadLetters, DeadLetterState, DeadLetterStatus, DeadLetters};

/// Makes one `#[test]` per test function of [`consumer_dead_letters_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! consumer_dead_letters_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, consumer_dead_letters_contract:
            a_dead_letter_keeps_its_record_as_it_came,
            a_retried_dead_letter_is_not_open_any_more_and_keeps_its_time,
            a_dead_letter_is_retried_or_discarded_and_not_both,
            a_new_reason_replaces_the_old_one_while_the_dead_letter_is_open,
            a_record_that_comes_again_does_not_open_its_dead_letter_again,
            settled_dead_letters_are_deleted_after_a_time_and_open_ones_never,
            no_more_dead_letters_are_deleted_at_once_than_the_limit,
        }
    };
}

pub async fn a_dead_letter_keeps_its_record_as_it_came<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let number = fixture.add_dead_letter(1, 1, "not Avro").await;
    let found =
        fixture.dead_letter_port().find(number).await.expect("an answer").expect("a dead letter");
    assert_eq!(found.content, sample::dead_letter(1, 1, "not Avro").record);
}

pub async fn a_retried_dead_letter_is_not_open_any_more_and_keeps_its_time<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let number = fixture.add_dead_letter(1, 1, "not Avro").await;
    assert!(fixture.dead_letter_port().mark_retried(number).await.expect("an answer"));
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, []);
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, [number]);
    let found =
        fixture.dead_letter_port().find(number).await.expect("an answer").expect("it is kept");
    let DeadLetterState::Retried { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);
}

pub async fn a_dead_letter_is_retried_or_discarded_and_not_both<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let letters = fixture.dead_letter_port();
    let retried = fixture.add_dead_letter(1, 1, "not Avro").await;
    let discarded = fixture.add_dead_letter(2, 1, "not Avro").await;
    assert!(letters.mark_retried(retried).await.expect("an answer"));
    assert_eq!(letters.discard(&[discarded]).await.expect("an answer"), [discarded]);

    assert_eq!(letters.discard(&[retried]).await.expect("an answer"), []);
    assert!(!letters.mark_retried(retried).await.expect("an answer"));
    assert!(!letters.mark_retried(discarded).await.expect("an answer"));
    assert!(!letters.mark_retried(fixture.unknown_id()).await.expect("an answer"));
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, [retried]);
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [discarded]);
}

pub async fn a_new_reason_replaces_the_old_one_while_the_dead_letter_is_open<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let letters = fixture.dead_letter_port();
    let number = fixture.add_dead_letter(1, 1, "not Avro").await;
    let reason = async || letters.find(number).await.expect("an answer").expect("kept").reason;
    letters.note_reason(number, "schema 7 is unknown").await.expect("noted");
    assert_eq!(reason().await, "schema 7 is unknown");
    letters.discard(&[number]).await.expect("an answer");
    letters.note_reason(number, "too late").await.expect("an answer");
    assert_eq!(reason().await, "schema 7 is unknown");
}

pub async fn a_record_that_comes_again_does_not_open_its_dead_letter_again<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let open = fixture.add_dead_letter(1, 1, "not Avro").await;
    let discarded = fixture.add_dead_letter(2, 1, "not Avro").await;
    fixture.dead_letter_port().discard(&[discarded]).await.expect("an answer");
    assert_eq!(fixture.add_dead_letter(1, 1, "again").await, open);
    assert_eq!(fixture.add_dead_letter(2, 1, "again").await, discarded);
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, [open]);
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [discarded]);
}

pub async fn settled_dead_letters_are_deleted_after_a_time_and_open_ones_never<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let letters = fixture.dead_letter_port();
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(fixture.add_dead_letter(n, 1, "not Avro").await);
    }
    letters.discard(&ids[..1]).await.expect("an answer");
    letters.mark_retried(ids[1]).await.expect("an answer");
    let [discarded_at, retried_at] =
        [settled_at(fixture, ids[0]).await, settled_at(fixture, ids[1]).await];

    assert_eq!(letters.delete_settled(discarded_at, 10).await.expect("an answer"), 0);
    let deleted = letters.delete_settled(just_after(retried_at), 10).await.expect("an answer");
    assert_eq!(deleted, 2);
    assert!(letters.find(ids[0]).await.expect("an answer").is_none());
    assert!(letters.find(ids[1]).await.expect("an answer").is_none());
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, ids[2..]);
}

pub async fn no_more_dead_letters_are_deleted_at_once_than_the_limit<F>(fixture: &F)
where
    F: DeadLetterFixture<DeadLetters: ConsumerDeadLetters>,
{
    let letters = fixture.dead_letter_port();
    let mut ids = Vec::new();
    for n in 1..=5 {
        ids.push(fixture.add_dead_letter(n, 1, "not Avro").await);
    }
    letters.discard(&ids).await.expect("an answer");
    let before = just_after(settled_at(fixture, ids[0]).await);
    let mut deleted = Vec::new();
    for _ in 0..4 {
        deleted.push(letters.delete_settled(before, 2).await.expect("an answer"));
    }
    assert_eq!(deleted, [2, 2, 1, 0]);
}

/// When a dead letter was retried or discarded.
pub(super) async fn settled_at<F: DeadLetterFixture>(
    fixture: &F,
    id: <F::DeadLetters as DeadLetters>::Id,
) -> Timestamp {
    let found = fixture.dead_letter_port().find(id).await.expect("an answer");
    found.expect("a dead letter").state.settled_at().expect("it is settled")
}

pub(super) fn just_after(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + 1).expect("a time")
}
