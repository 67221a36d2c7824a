use std::future::ready;
use std::io;
use std::ops::ControlFlow;

use application::StoreError;
use application::dead_letters::{
    ActOutcome, ActResult, ConsumeAgain, DeadLetterFilter, DeadLetterNumber, DeadLetterState,
    DeadLetters, PublishAgain, Retry, RetryError, Selection, retry_dead_letters,
};
use application::inbox::{BatchOutcome, Inbox};
use application::pharmacy::{PharmacyViews, ReceiveOrders};
use application::published::{Content, DeadLetter, PublishedEvent, RawRecord, Unreadable};
use application::testing::{
    DeadLetterFixture, InMemoryDeadLetters, InMemoryOrdering, InMemoryPharmacy, sample,
};

use crate::now;

type Results<Id> = Vec<(Id, ActOutcome)>;

fn retry<L: DeadLetters>(
    letters: &L,
    how: &impl Retry<L>,
    selection: &Selection<L::Id>,
) -> (Results<L::Id>, Result<(), RetryError>) {
    let mut results = Vec::new();
    let report = |ActResult { id, outcome }| {
        results.push((id, outcome));
        ControlFlow::Continue(())
    };
    let done = now(retry_dead_letters(letters, how, selection, report));
    (results, done)
}

fn all<Id>() -> Selection<Id> {
    Selection::Matching(DeadLetterFilter::default())
}

/// Dead letters of these orders.
fn dead(orders: impl IntoIterator<Item = u32>) -> (InMemoryPharmacy, Vec<DeadLetterNumber>) {
    let store = InMemoryPharmacy::default();
    let died = orders.into_iter().map(|n| now(store.add_dead_letter(n, 1, "schema 7 is unknown")));
    let died = died.collect();
    (store, died)
}

/// What the record of order `n` says once it can be read.
fn decoded(record: &RawRecord) -> Content {
    let key = record.key.as_deref().unwrap();
    let order = (0..3_000).find(|&n| sample::order_id(n).to_string().as_bytes() == key).unwrap();
    Content::Event(sample::created(order))
}

fn consume_again(
    store: &InMemoryPharmacy,
    decode: impl Fn(RawRecord) -> Result<Content, io::Error> + Send + Sync,
) -> impl Retry<InMemoryDeadLetters> {
    ConsumeAgain {
        decode: move |record| ready(decode(record)),
        inbox: ReceiveOrders { orders: store.clone(), now: sample::now },
    }
}

fn state(store: &InMemoryPharmacy, id: DeadLetterNumber) -> DeadLetterState {
    now(store.dead_letter_port().find(id)).unwrap().unwrap().state
}

#[test]
fn a_record_that_can_be_read_by_now_has_its_effect() {
    let (store, died) = dead([1]);
    let how = consume_again(&store, |record| Ok(decoded(&record)));
    let (results, done) = retry(&store.dead_letter_port(), &how, &Selection::Ids(died.clone()));
    done.unwrap();
    assert_eq!(results, [(died[0], ActOutcome::Retried)]);
    assert!(matches!(state(&store, died[0]), DeadLetterState::Retried { .. }));
    assert!(now(store.view(sample::order_id(1))).unwrap().is_some());

    let (again, _) = retry(&store.dead_letter_port(), &how, &Selection::Ids(died.clone()));
    assert_eq!(again, [(died[0], ActOutcome::NotOpen)]);
}

#[test]
fn a_record_that_still_cannot_be_read_stays_open_with_its_new_reason() {
    let (store, died) = dead([1, 2, 3]);
    let how = consume_again(&store, |record| {
        Ok(match record.offset {
            11 => Content::Unreadable(Unreadable("not Avro".to_owned())),
            21 => Content::UnknownType("orders.OrderShipped".to_owned()),
            _ => decoded(&record),
        })
    });
    let (results, done) = retry(&store.dead_letter_port(), &how, &all());
    done.unwrap();
    let unknown = "this program does not know the event type orders.OrderShipped";
    let reasons = ["not Avro", unknown].map(str::to_owned);
    let [unreadable, unknown] = reasons.clone().map(|reason| ActOutcome::StillDead { reason });
    let expected = [(died[0], unreadable), (died[1], unknown), (died[2], ActOutcome::Retried)];
    assert_eq!(results, expected);
    for (id, reason) in died.iter().zip(&reasons) {
        let kept = now(store.dead_letter_port().find(*id)).unwrap().unwrap();
        assert_eq!((&kept.reason, kept.state), (reason, DeadLetterState::Open));
    }
}

/// An inbox that refuses every event.
struct Refusing;

impl Inbox for Refusing {
    async fn apply_batch(
        &self,
        _: &[PublishedEvent],
        _: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        Err(StoreError::Refused("the name has a character 0".into()))
    }
}

#[test]
fn an_event_that_the_store_refuses_stays_open() {
    let (store, died) = dead([1]);
    let decode = |record: RawRecord| ready(Ok::<_, io::Error>(decoded(&record)));
    let how = ConsumeAgain { decode, inbox: Refusing };
    let (results, done) = retry(&store.dead_letter_port(), &how, &all());
    done.unwrap();
    let reason = "the name has a character 0".to_owned();
    assert_eq!(results, [(died[0], ActOutcome::StillDead { reason })]);
    assert_eq!(state(&store, died[0]), DeadLetterState::Open);
}

#[test]
fn an_outage_of_the_registry_ends_the_act_and_what_was_reported_is_done() {
    let (store, died) = dead([1, 2, 3]);
    let how = consume_again(&store, |record| match record.offset {
        21 => Err(io::Error::other("the registry is down")),
        _ => Ok(decoded(&record)),
    });
    let (results, done) = retry(&store.dead_letter_port(), &how, &all());
    assert_eq!(results, [(died[0], ActOutcome::Retried)]);
    assert!(matches!(done, Err(RetryError::Decode { number, .. }) if number == died[1]));
    assert_eq!(state(&store, died[1]), DeadLetterState::Open);
    assert_eq!(state(&store, died[2]), DeadLetterState::Open);
}

#[test]
fn an_id_that_is_not_open_does_not_stop_the_others() {
    let (store, died) = dead([1, 2]);
    now(store.dead_letter_port().discard(&died[..1])).unwrap();
    let how = consume_again(&store, |record| Ok(decoded(&record)));
    let wanted = vec![store.unknown_id(), died[0], died[1], died[1]];
    let (results, done) = retry(&store.dead_letter_port(), &how, &Selection::Ids(wanted));
    done.unwrap();
    let outcomes: Vec<ActOutcome> = results.into_iter().map(|(_, outcome)| outcome).collect();
    let not_open = || ActOutcome::NotOpen;
    assert_eq!(outcomes, [not_open(), not_open(), ActOutcome::Retried, not_open()]);
}

#[test]
fn all_are_retried_once_however_many_stay_open() {
    let (store, died) = dead(1..=1_200);
    let how = consume_again(&store, |record| {
        Ok(if record.offset % 20 == 1 {
            Content::Unreadable(Unreadable("not Avro".to_owned()))
        } else {
            decoded(&record)
        })
    });
    let (results, done) = retry(&store.dead_letter_port(), &how, &all());
    done.unwrap();
    assert_eq!(results.iter().map(|(id, _)| *id).collect::<Vec<_>>(), died);
    assert_eq!(results.iter().filter(|(_, outcome)| outcome.is_done()).count(), 600);
}

#[test]
fn an_act_that_is_ended_leaves_the_rest_open() {
    let (store, died) = dead([1, 2, 3]);
    let how = consume_again(&store, |record| Ok(decoded(&record)));
    let report = |_| ControlFlow::Break(());
    now(retry_dead_letters(&store.dead_letter_port(), &how, &all(), report)).unwrap();
    assert_eq!(died.iter().filter(|&&id| state(&store, id) == DeadLetterState::Open).count(), 2);
}

#[test]
fn refused_events_are_due_again_by_reason_and_by_type() {
    let store = InMemoryOrdering::default();
    let large = now(store.add_dead_letter(1, 1, "too large"));
    let cancelled = now(store.add_dead_letter(2, 2, "not allowed"));
    let other = now(store.add_dead_letter(3, 1, "not allowed"));
    let by_reason = DeadLetterFilter::default().with_reason("large").unwrap();
    let (results, done) = retry(&store, &PublishAgain, &Selection::Matching(by_reason));
    done.unwrap();
    assert_eq!(results, [(large, ActOutcome::Retried)]);
    let by_type = DeadLetterFilter::default().with_event_type("OrderCancelled").unwrap();
    let (results, done) = retry(&store, &PublishAgain, &Selection::Matching(by_type));
    done.unwrap();
    assert_eq!(results, [(cancelled, ActOutcome::Retried)]);
    assert_eq!(store.unprocessed(), 2);
    let (results, _) = retry(&store, &PublishAgain, &Selection::Ids(vec![large, other]));
    assert_eq!(results, [(large, ActOutcome::NotOpen), (other, ActOutcome::Retried)]);
}
