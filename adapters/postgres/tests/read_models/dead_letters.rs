use std::future::ready;

use adapter_postgres::dead_letters::{
    DeadLetterState, DeadLetters, DeadLettersCommand, Retried, retry,
};
use adapter_postgres::notification::{self, PgNotifications};
use adapter_postgres::pharmacy::{self, PgPharmacyOrders};
use application::inbox::{Batch, Inbox, Intake};
use application::notification::{ChannelName, NotifyCustomer};
use application::pharmacy::{PharmacyViews, ReceiveOrders};
use application::published::{Content, Incoming, RawRecord, Unreadable};
use application::{StoreError, inbox};
use clap::Parser;
use domain::OrderId;
use runtime::clock;

use crate::told::{created, database, readable, unreadable};

async fn receive(inbox: &impl Inbox, batch: &[Incoming]) -> Result<Intake, StoreError> {
    inbox::receive(inbox, &batch.iter().cloned().collect::<Batch>()).await
}

/// A batch whose middle record names somebody no Postgres text can hold.
fn with_a_foreign_name() -> ([OrderId; 3], Vec<Incoming>) {
    let ids = [clock::new_order_id(), clock::new_order_id(), clock::new_order_id()];
    let names = ["Ada", "Eve\0", "Ben"];
    let batch =
        (0..).zip(ids.iter().zip(names)).map(|(at, (id, name))| readable(at, created(*id, name)));
    (ids, batch.collect())
}

#[tokio::test]
async fn a_text_postgres_cannot_keep_becomes_a_dead_letter_and_the_others_take_effect() {
    let database = database().await;
    let orders = PgPharmacyOrders::new(&database);
    let (ids, batch) = with_a_foreign_name();

    let intake = receive(&ReceiveOrders(orders.clone()), &batch).await.unwrap();
    assert_eq!((intake.applied, intake.dead), (2, 1));
    let mut shown = Vec::new();
    for id in ids {
        shown.push(orders.view(id).await.unwrap().is_some());
    }
    assert_eq!(shown, [true, false, true]);
    let kept = pharmacy::dead_letters(&database).list(DeadLetterState::Open, 0, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].letter.record, batch[1].record);
    assert!(kept[0].letter.reason.contains("0x00"), "{}", kept[0].letter.reason);

    let again = receive(&ReceiveOrders(orders), &batch).await.unwrap();
    assert_eq!((again.applied, again.repeated), (0, 2));
    assert_eq!(open(&pharmacy::dead_letters(&database)).await.len(), 1, "not kept twice");
}

#[tokio::test]
async fn notifications_keep_what_cannot_be_recorded_too() {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    let inbox = NotifyCustomer { notifications, channels: vec![ChannelName::Log] };
    let (_, mut batch) = with_a_foreign_name();
    batch.push(unreadable(9, Some(b"\x01nonsense")));

    let intake = receive(&inbox, &batch).await.unwrap();
    assert_eq!(intake, Intake { applied: 2, dead: 2, ..Intake::default() });
    assert_eq!(open(&notification::dead_letters(&database)).await.len(), 2);
    assert_eq!(open(&pharmacy::dead_letters(&database)).await.len(), 0);
}

#[tokio::test]
async fn bytes_are_kept_as_they_came_and_an_offset_used_again_is_another_record() {
    let database = database().await;
    let inbox = ReceiveOrders(PgPharmacyOrders::new(&database));
    let every_byte: Vec<u8> = (0..=255).collect();
    let batch = [
        unreadable(5, Some(&every_byte)),
        unreadable(5, Some(b"")),
        unreadable(5, None),
        unreadable(5, Some(&every_byte)),
    ];
    receive(&inbox, &batch).await.unwrap();
    receive(&inbox, &batch).await.unwrap();

    let letters = pharmacy::dead_letters(&database).list(DeadLetterState::Open, 0, 10).await;
    let mut records: Vec<_> = letters.unwrap().into_iter().map(|kept| kept.letter.record).collect();
    records.sort_by_key(|record| record.value.clone());
    let expected = [&batch[2], &batch[1], &batch[0]].map(|incoming| incoming.record.clone());
    assert_eq!(records, expected);
}

#[tokio::test]
async fn a_letter_stays_open_until_its_record_has_had_its_effect() {
    let database = database().await;
    let letters = pharmacy::dead_letters(&database);
    let orders = PgPharmacyOrders::new(&database);
    let inbox = ReceiveOrders(orders.clone());
    receive(&inbox, &[unreadable(1, Some(b"bytes"))]).await.unwrap();
    let id = open(&letters).await[0];
    let order = clock::new_order_id();

    let still = Content::Unreadable(Unreadable("schema 7 is unknown".to_owned()));
    let reason = "schema 7 is unknown".to_owned();
    assert_eq!(
        retry(&letters, id, still, &inbox).await.unwrap(),
        Retried::StillDead { reason: reason.clone() }
    );
    assert_eq!(letters.find(id).await.unwrap().unwrap().letter.reason, reason);
    let refused = retry(&letters, id, Content::Event(created(order, "\0")), &inbox).await.unwrap();
    assert!(matches!(refused, Retried::StillDead { .. }), "{refused:?}");
    assert_eq!(open(&letters).await, [id]);

    let event = created(order, "Ada");
    for _ in 0..2 {
        let retried = retry(&letters, id, Content::Event(event.clone()), &inbox).await.unwrap();
        assert_eq!(retried, Retried::TakenIn);
    }
    assert_eq!(letters.find(id).await.unwrap().unwrap().state, DeadLetterState::Retried);
    assert!(orders.view(order).await.unwrap().is_some());
    assert!(!letters.discard(id).await.unwrap(), "what was retried cannot be discarded");
}

#[tokio::test]
async fn a_discarded_letter_stays_discarded_when_the_record_comes_again() {
    let database = database().await;
    let letters = pharmacy::dead_letters(&database);
    let inbox = ReceiveOrders(PgPharmacyOrders::new(&database));
    let batch = [unreadable(1, Some(b"a")), unreadable(2, Some(b"b"))];
    inbox.take_in(&[], &[]).await.unwrap();
    receive(&inbox, &batch).await.unwrap();
    let ids = open(&letters).await;

    assert!(letters.discard(ids[0]).await.unwrap());
    assert!(!letters.discard(ids[0]).await.unwrap());
    receive(&inbox, &batch).await.unwrap();
    assert_eq!(open(&letters).await, [ids[1]]);
    assert_eq!(letters.find(i64::MAX).await.unwrap(), None);
}

async fn open(letters: &DeadLetters) -> Vec<i64> {
    let kept = letters.list(DeadLetterState::Open, 0, 100).await.unwrap();
    kept.into_iter().map(|kept| kept.id).collect()
}

#[tokio::test]
async fn an_operator_lists_retries_and_discards() {
    let database = database().await;
    let letters = pharmacy::dead_letters(&database);
    let orders = PgPharmacyOrders::new(&database);
    let inbox = ReceiveOrders(orders.clone());
    let batch = [1, 2, 3].map(|offset| unreadable(offset, Some(b"\x1b[2J")));
    receive(&inbox, &batch).await.unwrap();
    let [first, second, third] = open(&letters).await[..] else { panic!("three letters") };
    let order = clock::new_order_id();

    // Only the record at offset 2 can be read by now.
    let decode = |record: RawRecord| {
        let readable = record.offset == 2;
        let content = if readable {
            Content::Event(created(order, "Ada"))
        } else {
            unreadable(0, None).content
        };
        ready(Ok::<_, std::io::Error>(content))
    };
    let run = async |command: &[&str]| {
        let mut out = Vec::new();
        let command = Commands::try_parse_from(command).unwrap().command;
        let done = command.run(&letters, &inbox, decode, &mut out).await.unwrap();
        (done, String::from_utf8(out).unwrap())
    };

    let (done, list) = run(&["dead-letters", "list"]).await;
    assert!(done);
    assert_eq!(list.lines().count(), 3);
    assert!(list.contains("order-created-topic/3@2") && list.contains("magic byte"), "{list}");
    assert!(!list.contains('\x1b') && !list.contains('\0'), "{list:?}");
    let last = list.lines().nth(2).unwrap();
    assert!(last.contains("\t2026-01-01T00:00:00.123000Z\tce_type=orders.OrderCreated "), "{last}");

    let (done, said) = run(&["dead-letters", "retry", "--all"]).await;
    assert!(!done);
    assert!(said.contains(&format!("{second}: taken in")), "{said}");
    assert!(orders.view(order).await.unwrap().is_some());
    assert_eq!(open(&letters).await, [first, third]);

    let numbers = [first.to_string(), second.to_string()];
    let (done, said) = run(&["dead-letters", "discard", &numbers[0], &numbers[1]]).await;
    assert!(!done, "the second was retried: {said}");
    assert_eq!(open(&letters).await, [third]);
    let (_, discarded) = run(&["dead-letters", "list", "--state", "discarded"]).await;
    assert!(discarded.starts_with(&format!("{first}\tdiscarded\t")), "{discarded}");
}

#[derive(Debug, Parser)]
struct Commands {
    #[command(subcommand)]
    command: DeadLettersCommand,
}
