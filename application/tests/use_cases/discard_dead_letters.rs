use std::ops::ControlFlow;

use application::dead_letters::{
    ActOutcome, ActResult, DeadLetterFilter, DeadLetterNumber, DeadLetterState, DeadLetters,
    Selection, discard_dead_letters,
};
use application::testing::{DeadLetterFixture, InMemoryOrdering, InMemoryPharmacy};

use crate::now;

fn discard<L: DeadLetters>(letters: &L, selection: &Selection<L::Id>) -> Vec<(L::Id, ActOutcome)> {
    let mut results = Vec::new();
    let report = |ActResult { id, outcome }| {
        results.push((id, outcome));
        ControlFlow::Continue(())
    };
    now(discard_dead_letters(letters, selection, report)).unwrap();
    results
}

fn dead(n: u32) -> (InMemoryPharmacy, Vec<DeadLetterNumber>) {
    let store = InMemoryPharmacy::default();
    let died =
        (1..=n).map(|n| now(store.add_dead_letter(n, 1 + n % 2, &format!("reason {n}")))).collect();
    (store, died)
}

fn open(store: &InMemoryPharmacy, ids: &[DeadLetterNumber]) -> Vec<DeadLetterNumber> {
    let state =
        |&id: &DeadLetterNumber| now(store.dead_letter_port().find(id)).unwrap().unwrap().state;
    ids.iter().copied().filter(|id| state(id) == DeadLetterState::Open).collect()
}

#[test]
fn ids_are_discarded_in_the_order_given_and_each_is_answered() {
    let (store, died) = dead(3);
    let unknown = store.unknown_id();
    let ids = Selection::Ids(vec![died[2], unknown, died[0], died[2]]);
    assert_eq!(
        discard(&store.dead_letter_port(), &ids),
        [
            (died[2], ActOutcome::Discarded),
            (unknown, ActOutcome::NotOpen),
            (died[0], ActOutcome::Discarded),
            (died[2], ActOutcome::NotOpen),
        ]
    );
    assert_eq!(open(&store, &died), died[1..2]);
}

#[test]
fn all_that_are_open_are_discarded_however_many_there_are() {
    let (store, died) = dead(1_200);
    discard(&store.dead_letter_port(), &Selection::Ids(died[..7].to_vec()));
    let results =
        discard(&store.dead_letter_port(), &Selection::Matching(DeadLetterFilter::default()));
    assert_eq!(results.iter().map(|(id, _)| *id).collect::<Vec<_>>(), died[7..]);
    assert!(results.iter().all(|(_, outcome)| *outcome == ActOutcome::Discarded));
    assert_eq!(open(&store, &died), []);
}

#[test]
fn a_filter_leaves_the_others_open() {
    let (store, died) = dead(4);
    let filter = DeadLetterFilter::default().with_event_type("OrderCreated").unwrap();
    let results = discard(&store.dead_letter_port(), &Selection::Matching(filter));
    assert_eq!(results, [1, 3].map(|n: usize| (died[n], ActOutcome::Discarded)));
    let filter = DeadLetterFilter::default().with_reason("reason 3").unwrap();
    discard(&store.dead_letter_port(), &Selection::Matching(filter));
    assert_eq!(open(&store, &died), died[..1]);
}

#[test]
fn events_of_the_outbox_are_discarded_in_the_same_way() {
    let store = InMemoryOrdering::default();
    let large = now(store.add_dead_letter(1, 1, "too large"));
    let other = now(store.add_dead_letter(2, 1, "not allowed"));
    let filter = DeadLetterFilter::default().with_reason("large").unwrap();
    let results = discard(&store, &Selection::Matching(filter));
    assert_eq!(results, [(large, ActOutcome::Discarded)]);
    assert_eq!(now(store.find(other)).unwrap().unwrap().state, DeadLetterState::Open);
}

#[test]
fn an_act_that_is_ended_reports_all_that_it_did() {
    let (store, died) = dead(1_200);
    let mut reported = Vec::new();
    let report = |result: ActResult<DeadLetterNumber>| {
        reported.push(result.id);
        if reported.len() >= 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let all = Selection::Matching(DeadLetterFilter::default());
    now(discard_dead_letters(&store.dead_letter_port(), &all, report)).unwrap();
    assert!((10..1_000).contains(&reported.len()), "{}", reported.len());
    let still_open = open(&store, &died);
    assert_eq!(still_open, died[reported.len()..], "what was discarded was reported");
}
