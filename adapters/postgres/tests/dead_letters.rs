//! The dead letters of a context, in which the pharmacy receives the records.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::future::ready;
use std::ops::ControlFlow;

use adapter_avro::encode_pharmacy_event;
use adapter_pharmacy::{PgPharmacyOrders, TABLES};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::dead_letters::{
    ActOutcome, ActResult, ConsumeAgain, DeadLetterNumber, DeadLetterState, DeadLetters, Selection,
    retry_dead_letters,
};
use application::inbox::{Batch, BatchOutcome, Inbox};
use application::pharmacy::{PharmacyViews, ReceiveOrders};
use application::published::{Content, Incoming, Unreadable};
use application::{StoreError, inbox};
use domain::OrderId;
use runtime::clock;

use embedded_postgres::testing::fresh_database;
use test_support::{created, open_dead_letters as open, readable, unreadable};

async fn database() -> Database {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&TABLES, &fresh.args(), "test").unwrap();
    database.migrate().await.unwrap();
    database
}

async fn receive(inbox: &impl Inbox, batch: &[Incoming]) -> Result<BatchOutcome, StoreError> {
    inbox::receive(inbox, &batch.iter().cloned().collect::<Batch>()).await
}

/// Three records. The second one has a customer name with a NUL character, which Postgres cannot store.
fn with_a_nul_character() -> ([OrderId; 3], Vec<Incoming>) {
    let ids = [clock::new_order_id(), clock::new_order_id(), clock::new_order_id()];
    let names = ["Ada", "Eve\0", "Ben"];
    let batch =
        (0..).zip(ids.iter().zip(names)).map(|(at, (id, name))| readable(at, created(*id, name)));
    (ids, batch.collect())
}

#[tokio::test]
async fn a_record_that_postgres_cannot_store_becomes_a_dead_letter_and_the_others_are_applied() {
    let database = database().await;
    let orders = PgPharmacyOrders::new(&database, encode_pharmacy_event);
    let (ids, batch) = with_a_nul_character();

    let outcome =
        receive(&ReceiveOrders { orders: orders.clone(), now: clock::now }, &batch).await.unwrap();
    assert_eq!((outcome.applied, outcome.dead), (2, 1));
    let mut shown = Vec::new();
    for id in ids {
        shown.push(orders.view(id).await.unwrap().is_some());
    }
    assert_eq!(shown, [true, false, true]);
    let kept = open(&PgDeadLetters::new(&database)).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].content, batch[1].record);
    assert!(kept[0].reason.contains("0x00"), "{}", kept[0].reason);

    let again = receive(&ReceiveOrders { orders, now: clock::now }, &batch).await.unwrap();
    assert_eq!((again.applied, again.repeated), (0, 2));
    assert_eq!(open(&PgDeadLetters::new(&database)).await.len(), 1, "not kept twice");
}

#[tokio::test]
async fn bytes_are_kept_unchanged_and_other_bytes_at_the_same_offset_are_another_record() {
    let database = database().await;
    let inbox = ReceiveOrders {
        orders: PgPharmacyOrders::new(&database, encode_pharmacy_event),
        now: clock::now,
    };
    let every_byte: Vec<u8> = (0..=255).collect();
    let batch = [
        unreadable(5, Some(&every_byte)),
        unreadable(5, Some(b"")),
        unreadable(5, None),
        unreadable(5, Some(&every_byte)),
    ];
    receive(&inbox, &batch).await.unwrap();
    receive(&inbox, &batch).await.unwrap();

    let kept = open(&PgDeadLetters::new(&database)).await;
    let mut records: Vec<_> = kept.into_iter().map(|kept| kept.content).collect();
    records.sort_by_key(|record| record.value.clone());
    let expected = [&batch[2], &batch[1], &batch[0]].map(|incoming| incoming.record.clone());
    assert_eq!(records, expected);
}

#[tokio::test]
async fn a_dead_letter_stays_open_until_its_record_is_applied() {
    let database = database().await;
    let letters = PgDeadLetters::new(&database);
    let orders = PgPharmacyOrders::new(&database, encode_pharmacy_event);
    let inbox = ReceiveOrders { orders: orders.clone(), now: clock::now };
    receive(&inbox, &[unreadable(1, Some(b"bytes"))]).await.unwrap();
    let id = ids(&letters).await[0];
    let order = clock::new_order_id();

    let unreadable_again = Content::Unreadable(Unreadable("schema 7 is unknown".to_owned()));
    let reason = "schema 7 is unknown".to_owned();
    assert_eq!(
        retry(&letters, id, unreadable_again, &inbox).await,
        ActOutcome::StillDead { reason: reason.clone() }
    );
    assert_eq!(letters.find(id).await.unwrap().unwrap().reason, reason);
    let refused = retry(&letters, id, Content::Event(created(order, "\0")), &inbox).await;
    assert!(matches!(refused, ActOutcome::StillDead { .. }), "{refused:?}");
    assert_eq!(ids(&letters).await, [id]);

    let event = created(order, "Ada");
    let again = || retry(&letters, id, Content::Event(event.clone()), &inbox);
    let (one, other) = tokio::join!(again(), again());
    assert!(one == ActOutcome::Retried || other == ActOutcome::Retried, "{one:?} {other:?}");
    assert_eq!(again().await, ActOutcome::NotOpen);
    let state = letters.find(id).await.unwrap().unwrap().state;
    assert!(matches!(state, DeadLetterState::Retried { .. }), "{state:?}");
    assert!(orders.view(order).await.unwrap().is_some());
    assert_eq!(
        letters.discard(&[id]).await.unwrap(),
        [],
        "a retried dead letter cannot be discarded"
    );
}

/// Retries a dead letter whose record now decodes to `content`.
async fn retry(
    letters: &PgDeadLetters,
    id: DeadLetterNumber,
    content: Content,
    inbox: &ReceiveOrders<PgPharmacyOrders>,
) -> ActOutcome {
    let decode = |_| ready(Ok::<_, std::io::Error>(content.clone()));
    let how = ConsumeAgain { decode, inbox: inbox.clone() };
    let mut outcome = None;
    let report = |result: ActResult<DeadLetterNumber>| {
        outcome = Some(result.outcome);
        ControlFlow::Continue(())
    };
    retry_dead_letters(letters, &how, &Selection::Ids(vec![id]), report).await.unwrap();
    outcome.unwrap()
}

#[tokio::test]
async fn a_discarded_dead_letter_stays_discarded_when_the_record_is_received_again() {
    let database = database().await;
    let letters = PgDeadLetters::new(&database);
    let inbox = ReceiveOrders {
        orders: PgPharmacyOrders::new(&database, encode_pharmacy_event),
        now: clock::now,
    };
    let batch = [unreadable(1, Some(b"a")), unreadable(2, Some(b"b"))];
    inbox.apply_batch(&[], &[]).await.unwrap();
    receive(&inbox, &batch).await.unwrap();
    let open_ids = ids(&letters).await;

    assert_eq!(letters.discard(&open_ids[..1]).await.unwrap(), open_ids[..1]);
    assert_eq!(letters.discard(&open_ids[..1]).await.unwrap(), []);
    receive(&inbox, &batch).await.unwrap();
    assert_eq!(ids(&letters).await, open_ids[1..]);
    assert_eq!(letters.find(DeadLetterNumber::new(i64::MAX)).await.unwrap(), None);
}

#[tokio::test]
async fn concurrent_discards_of_the_same_dead_letters_do_not_deadlock() {
    let database = database().await;
    let letters = PgDeadLetters::new(&database);
    let inbox = ReceiveOrders {
        orders: PgPharmacyOrders::new(&database, encode_pharmacy_event),
        now: clock::now,
    };
    let batch: Vec<_> = (0..200).map(|offset| unreadable(offset, Some(b"a"))).collect();
    receive(&inbox, &batch).await.unwrap();
    let open_ids = ids(&letters).await;
    let backwards: Vec<_> = open_ids.iter().rev().copied().collect();
    let (one, other) = tokio::join!(letters.discard(&open_ids), letters.discard(&backwards));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 200);
    assert_eq!(ids(&letters).await, []);
}

async fn ids(letters: &PgDeadLetters) -> Vec<DeadLetterNumber> {
    open(letters).await.into_iter().map(|kept| kept.id).collect()
}
