//! Contract of [`DeadLetters`]: dead letters are listed, found and discarded, and the time is recorded.

#![allow(missing_docs, reason = "each test name is a sentence")]

use super::DeadLetterFixture;
use crate::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterState, DeadLetterStatus, DeadLetters, Kept,
};

type Id<F> = <<F as DeadLetterFixture>::DeadLetters as DeadLetters>::Id;

/// Makes one `#[test]` per test function of [`dead_letters_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! dead_letters_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, dead_letters_contract:
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

pub async fn a_fresh_store_has_no_dead_letters<F: DeadLetterFixture>(fixture: &F) {
    for status in [DeadLetterStatus::Open, DeadLetterStatus::Retried, DeadLetterStatus::Discarded] {
        assert_eq!(list(fixture, status).await, []);
    }
    assert!(
        fixture.dead_letter_port().find(fixture.unknown_id()).await.expect("an answer").is_none()
    );
}

pub async fn dead_letters_are_listed_oldest_first_with_their_reason<F: DeadLetterFixture>(
    fixture: &F,
) {
    let mut died = Vec::new();
    for n in 1..=3 {
        died.push(fixture.add_dead_letter(n, 1, &format!("reason {n} – „zu groß“")).await);
    }
    let found = page(fixture, DeadLetterStatus::Open, &DeadLetterFilter::default(), None, 10).await;
    let ids: Vec<Id<F>> = found.iter().map(|one| one.id).collect();
    assert_eq!(ids, died);
    assert!(ids.is_sorted());
    for (n, one) in (1..).zip(found) {
        assert_eq!(one.reason, format!("reason {n} – „zu groß“"));
        assert_eq!(one.state, DeadLetterState::Open);
    }
}

pub async fn pages_show_every_dead_letter_once<F: DeadLetterFixture>(fixture: &F) {
    let mut died = Vec::new();
    for n in 1..=5 {
        died.push(fixture.add_dead_letter(n, 1, "too large").await);
    }
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let filter = DeadLetterFilter::default();
        let found = page(fixture, DeadLetterStatus::Open, &filter, after, 2).await;
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        after = Some(last.id);
        shown.extend(found.into_iter().map(|one| one.id));
    }
    assert_eq!(shown, died);
}

pub async fn a_filter_by_reason_finds_the_text_as_it_is_written<F: DeadLetterFixture>(fixture: &F) {
    let percent = fixture.add_dead_letter(1, 1, "100% of a_b is too large").await;
    let other = fixture.add_dead_letter(2, 1, "100 of aXb is Too large").await;
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
        assert_eq!(matching(fixture, &filter).await, expected, "{text}");
    }
}

pub async fn a_filter_by_event_type_finds_the_events_of_this_type<F: DeadLetterFixture>(
    fixture: &F,
) {
    let created = fixture.add_dead_letter(1, 1, "too large").await;
    let cancelled = fixture.add_dead_letter(2, 2, "too large").await;
    for (name, expected) in [
        ("OrderCreated", vec![created]),
        ("OrderCancelled", vec![cancelled]),
        ("orders.OrderCancelled", vec![cancelled]),
        ("Order", vec![]),
        ("ordercreated", vec![]),
    ] {
        let filter = DeadLetterFilter::default().with_event_type(name).expect("a name");
        assert_eq!(matching(fixture, &filter).await, expected, "{name}");
    }
}

pub async fn two_filters_at_once_must_both_match<F: DeadLetterFixture>(fixture: &F) {
    fixture.add_dead_letter(1, 1, "too large").await;
    let wanted = fixture.add_dead_letter(2, 2, "too large").await;
    fixture.add_dead_letter(3, 2, "not allowed").await;
    let filter = DeadLetterFilter::default().with_reason("large").expect("a text");
    let filter = filter.with_event_type("OrderCancelled").expect("a name");
    assert_eq!(matching(fixture, &filter).await, [wanted]);
}

pub async fn a_dead_letter_is_found_by_its_id<F: DeadLetterFixture>(fixture: &F) {
    let first = fixture.add_dead_letter(1, 1, "too large").await;
    let second = fixture.add_dead_letter(2, 1, "not allowed").await;
    let letters = fixture.dead_letter_port();
    for (id, reason) in [(first, "too large"), (second, "not allowed")] {
        let found = letters.find(id).await.expect("an answer").expect("a dead letter");
        assert_eq!((found.id, found.reason.as_str()), (id, reason));
    }
    assert!(letters.find(fixture.unknown_id()).await.expect("an answer").is_none());
}

pub async fn a_discarded_dead_letter_is_not_open_any_more_and_keeps_its_time<
    F: DeadLetterFixture,
>(
    fixture: &F,
) {
    let id = fixture.add_dead_letter(1, 1, "too large").await;
    assert_eq!(fixture.dead_letter_port().discard(&[id]).await.expect("an answer"), [id]);
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, []);
    assert_eq!(list(fixture, DeadLetterStatus::Retried).await, []);
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, [id]);
    let found = fixture.dead_letter_port().find(id).await.expect("an answer").expect("it is kept");
    assert_eq!(found.reason, "too large");
    let DeadLetterState::Discarded { at } = found.state else { panic!("{:?}", found.state) };
    assert!(at >= found.kept_at);
}

pub async fn a_dead_letter_is_discarded_once<F: DeadLetterFixture>(fixture: &F) {
    let id = fixture.add_dead_letter(1, 1, "too large").await;
    let letters = fixture.dead_letter_port();
    assert_eq!(letters.discard(&[id]).await.expect("an answer"), [id]);
    let before = letters.find(id).await.expect("an answer").map(|one| one.state);
    assert_eq!(letters.discard(&[id]).await.expect("an answer"), []);
    assert_eq!(letters.find(id).await.expect("an answer").map(|one| one.state), before);
}

pub async fn several_dead_letters_are_discarded_at_once_and_the_others_stay_open<
    F: DeadLetterFixture,
>(
    fixture: &F,
) {
    let mut died = Vec::new();
    for n in 1..=4 {
        died.push(fixture.add_dead_letter(n, 1, "too large").await);
    }
    let letters = fixture.dead_letter_port();
    letters.discard(&died[..1]).await.expect("an answer");
    let wanted = [died[2], fixture.unknown_id(), died[0], died[1]];
    let mut discarded = letters.discard(&wanted).await.expect("an answer");
    discarded.sort_unstable();
    assert_eq!(discarded, died[1..3]);
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, died[3..]);
    assert_eq!(list(fixture, DeadLetterStatus::Discarded).await, died[..3]);
}

pub async fn discarding_none_changes_nothing<F: DeadLetterFixture>(fixture: &F) {
    let id = fixture.add_dead_letter(1, 1, "too large").await;
    assert_eq!(fixture.dead_letter_port().discard(&[]).await.expect("an answer"), []);
    assert_eq!(
        fixture.dead_letter_port().discard(&[fixture.unknown_id()]).await.expect("an answer"),
        []
    );
    assert_eq!(list(fixture, DeadLetterStatus::Open).await, [id]);
}

async fn page<F: DeadLetterFixture>(
    fixture: &F,
    status: DeadLetterStatus,
    filter: &DeadLetterFilter,
    after: Option<Id<F>>,
    limit: usize,
) -> Vec<Kept<F::DeadLetters>> {
    let query = DeadLetterQuery { status, filter, after };
    fixture.dead_letter_port().page(query, limit).await.expect("an answer")
}

async fn matching<F: DeadLetterFixture>(fixture: &F, filter: &DeadLetterFilter) -> Vec<Id<F>> {
    let found = page(fixture, DeadLetterStatus::Open, filter, None, 100).await;
    found.into_iter().map(|one| one.id).collect()
}

/// The ids of all dead letters in this state.
pub(super) async fn list<F: DeadLetterFixture>(
    fixture: &F,
    status: DeadLetterStatus,
) -> Vec<Id<F>> {
    let found = page(fixture, status, &DeadLetterFilter::default(), None, 100).await;
    found.into_iter().map(|one| one.id).collect()
}
