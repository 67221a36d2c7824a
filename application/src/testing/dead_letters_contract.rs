//! What every [`DeadLetters`] must do: keep, list, find and discard, with the time of each act.

#![allow(missing_docs, reason = "the name of a rule is its sentence")]

use super::DeadLetterWorld;
use crate::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterState, DeadLetterStatus, DeadLetters, Kept,
};

type Id<W> = <<W as DeadLetterWorld>::Letters as DeadLetters>::Id;

/// Makes a `#[test]` of each rule of [`dead_letters_contract`](self): `(run, world)`.
#[macro_export]
macro_rules! dead_letters_contract {
    ($run:path, $world:expr) => {
        $crate::contract_tests! { $run, $world, dead_letters_contract:
            a_fresh_store_has_no_dead_letters,
            dead_letters_are_listed_oldest_first_with_their_reason,
            pages_show_every_dead_letter_once,
            a_filter_by_reason_finds_the_text_as_it_is_written,
            a_filter_by_event_type_finds_the_events_of_this_type,
            two_filters_at_once_must_both_match,
            a_dead_letter_is_found_by_its_id,
            a_discarded_dead_letter_is_not_open_any_more_and_keeps_its_time,
            a_dead_letter_is_discarded_once,
            several_dead_letters_are_discarded_at_once_and_the_others_stay_open,
            discarding_none_changes_nothing,
        }
    };
}

pub async fn a_fresh_store_has_no_dead_letters<W: DeadLetterWorld>(world: &W) {
    for status in [DeadLetterStatus::Open, DeadLetterStatus::Retried, DeadLetterStatus::Discarded] {
        assert_eq!(list(world, status).await, []);
    }
    assert!(world.letters().find(world.unknown_id()).await.expect("an answer").is_none());
}

pub async fn dead_letters_are_listed_oldest_first_with_their_reason<W: DeadLetterWorld>(world: &W) {
    let mut died = Vec::new();
    for n in 1..=3 {
        died.push(world.let_die(n, 1, &format!("reason {n} – „zu groß“")).await);
    }
    let found = page(world, DeadLetterStatus::Open, &DeadLetterFilter::default(), None, 10).await;
    let ids: Vec<Id<W>> = found.iter().map(|one| one.id).collect();
    assert_eq!(ids, died);
    assert!(ids.is_sorted());
    for (n, one) in (1..).zip(found) {
        assert_eq!(one.reason, format!("reason {n} – „zu groß“"));
        assert_eq!(one.state, DeadLetterState::Open);
    }
}

pub async fn pages_show_every_dead_letter_once<W: DeadLetterWorld>(world: &W) {
    let mut died = Vec::new();
    for n in 1..=5 {
        died.push(world.let_die(n, 1, "too large").await);
    }
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let filter = DeadLetterFilter::default();
        let found = page(world, DeadLetterStatus::Open, &filter, after, 2).await;
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        after = Some(last.id);
        shown.extend(found.into_iter().map(|one| one.id));
    }
    assert_eq!(shown, died);
}

pub async fn a_filter_by_reason_finds_the_text_as_it_is_written<W: DeadLetterWorld>(world: &W) {
    let percent = world.let_die(1, 1, "100% of a_b is too large").await;
    let other = world.let_die(2, 1, "100 of aXb is Too large").await;
    for (text, expected) in [
        ("0%", vec![percent]),
        ("a_b", vec![percent]),
        ("too large", vec![percent]),
        ("Too", vec![other]),
        ("large", vec![percent, other]),
        ("100", vec![percent, other]),
        ("small", vec![]),
        ("\\", vec![]),
        ("\0", vec![]),
    ] {
        let filter = DeadLetterFilter::default().with_reason(text).expect("a text");
        assert_eq!(matching(world, &filter).await, expected, "{text}");
    }
}

pub async fn a_filter_by_event_type_finds_the_events_of_this_type<W: DeadLetterWorld>(world: &W) {
    let created = world.let_die(1, 1, "too large").await;
    let cancelled = world.let_die(2, 2, "too large").await;
    for (name, expected) in [
        ("OrderCreated", vec![created]),
        ("OrderCancelled", vec![cancelled]),
        ("orders.OrderCancelled", vec![cancelled]),
        ("Order", vec![]),
        ("ordercreated", vec![]),
    ] {
        let filter = DeadLetterFilter::default().with_event_type(name).expect("a name");
        assert_eq!(matching(world, &filter).await, expected, "{name}");
    }
}

pub async fn two_filters_at_once_must_both_match<W: DeadLetterWorld>(world: &W) {
    world.let_die(1, 1, "too large").await;
    let wanted = world.let_die(2, 2, "too large").await;
    world.let_die(3, 2, "not allowed").await;
    let filter = DeadLetterFilter::default().with_reason("large").expect("a text");
    let filter = filter.with_event_type("OrderCancelled").expect("a name");
    assert_eq!(matching(world, &filter).await, [wanted]);
}

pub async fn a_dead_letter_is_found_by_its_id<W: DeadLetterWorld>(world: &W) {
    let first = world.let_die(1, 1, "too large").await;
    let second = world.let_die(2, 1, "not allowed").await;
    let letters = world.letters();
    for (id, reason) in [(first, "too large"), (second, "not allowed")] {
        let found = letters.find(id).await.expect("an answer").expect("a dead letter");
        assert_eq!((found.id, found.reason.as_str()), (id, reason));
    }
    assert!(letters.find(world.unknown_id()).await.expect("an answer").is_none());
}

pub async fn a_discarded_dead_letter_is_not_open_any_more_and_keeps_its_time<W: DeadLetterWorld>(
    world: &W,
) {
    let id = world.let_die(1, 1, "too large").await;
    assert_eq!(world.letters().discard(&[id]).await.expect("an answer"), [id]);
    assert_eq!(list(world, DeadLetterStatus::Open).await, []);
    assert_eq!(list(world, DeadLetterStatus::Retried).await, []);
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, [id]);
    let found = world.letters().find(id).await.expect("an answer").expect("it is kept");
    assert_eq!(found.reason, "too large");
    let DeadLetterState::Discarded { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);
}

pub async fn a_dead_letter_is_discarded_once<W: DeadLetterWorld>(world: &W) {
    let id = world.let_die(1, 1, "too large").await;
    let letters = world.letters();
    assert_eq!(letters.discard(&[id]).await.expect("an answer"), [id]);
    let before = letters.find(id).await.expect("an answer").map(|one| one.state);
    assert_eq!(letters.discard(&[id]).await.expect("an answer"), []);
    assert_eq!(letters.find(id).await.expect("an answer").map(|one| one.state), before);
}

pub async fn several_dead_letters_are_discarded_at_once_and_the_others_stay_open<
    W: DeadLetterWorld,
>(
    world: &W,
) {
    let mut died = Vec::new();
    for n in 1..=4 {
        died.push(world.let_die(n, 1, "too large").await);
    }
    let letters = world.letters();
    letters.discard(&died[..1]).await.expect("an answer");
    let wanted = [died[2], world.unknown_id(), died[0], died[1]];
    let mut discarded = letters.discard(&wanted).await.expect("an answer");
    discarded.sort_unstable();
    assert_eq!(discarded, died[1..3]);
    assert_eq!(list(world, DeadLetterStatus::Open).await, died[3..]);
    assert_eq!(list(world, DeadLetterStatus::Discarded).await, died[..3]);
}

pub async fn discarding_none_changes_nothing<W: DeadLetterWorld>(world: &W) {
    let id = world.let_die(1, 1, "too large").await;
    assert_eq!(world.letters().discard(&[]).await.expect("an answer"), []);
    assert_eq!(world.letters().discard(&[world.unknown_id()]).await.expect("an answer"), []);
    assert_eq!(list(world, DeadLetterStatus::Open).await, [id]);
}

async fn page<W: DeadLetterWorld>(
    world: &W,
    status: DeadLetterStatus,
    filter: &DeadLetterFilter,
    after: Option<Id<W>>,
    limit: usize,
) -> Vec<Kept<W::Letters>> {
    let query = DeadLetterQuery { status, filter, after };
    world.letters().page(query, limit).await.expect("an answer")
}

async fn matching<W: DeadLetterWorld>(world: &W, filter: &DeadLetterFilter) -> Vec<Id<W>> {
    let found = page(world, DeadLetterStatus::Open, filter, None, 100).await;
    found.into_iter().map(|one| one.id).collect()
}

/// The ids of all dead letters in this state.
pub(super) async fn list<W: DeadLetterWorld>(world: &W, status: DeadLetterStatus) -> Vec<Id<W>> {
    let found = page(world, status, &DeadLetterFilter::default(), None, 100).await;
    found.into_iter().map(|one| one.id).collect()
}
