use std::future::ready;
use std::io;

use application::dead_letters::{
    ConsumeAgain, DeadLetterNumber, DeadLetterStatus, DeadLetters, PublishAgain,
};
use application::inbox::Inbox;
use application::pharmacy::{PharmacyViews, ReceiveOrders};
use application::published::{Content, DeadLetter, RawRecord, Unreadable};
use application::testing::{
    DeadLetterFixture, InMemoryDeadLetters, InMemoryOrdering, InMemoryPharmacy, sample,
};
use clap::Parser;
use domain::EventId;

use super::{CommandError, DeadLettersCommand, run};

#[derive(Debug, Parser)]
struct Consumer {
    #[command(subcommand)]
    command: DeadLettersCommand<DeadLetterNumber>,
}

#[derive(Debug, Parser)]
struct Outbox {
    #[command(subcommand)]
    command: DeadLettersCommand<EventId>,
}

/// Three records, of which only the one of order 2 can be read by now.
async fn three_dead() -> (InMemoryPharmacy, [DeadLetterNumber; 3]) {
    let store = InMemoryPharmacy::default();
    let inbox = ReceiveOrders { orders: store.clone(), now: sample::now };
    let dead: Vec<DeadLetter> =
        (1..=3).map(|n| sample::dead_letter(n, 1, "\x1b[2J is no Avro\0")).collect();
    inbox.apply_batch(&[], &dead).await.unwrap();
    (store, [1, 2, 3].map(DeadLetterNumber::new))
}

async fn consumer(store: &InMemoryPharmacy, command: &[&str]) -> (bool, String) {
    let decode = |record: RawRecord| {
        ready(Ok::<_, io::Error>(if record.offset == 21 {
            Content::Event(sample::created(2))
        } else {
            Content::Unreadable(Unreadable("still no Avro".to_owned()))
        }))
    };
    let how =
        ConsumeAgain { decode, inbox: ReceiveOrders { orders: store.clone(), now: sample::now } };
    let command = Consumer::try_parse_from([&["dead-letters"], command].concat()).unwrap().command;
    let mut out = Vec::new();
    let done = run(command, &store.dead_letter_port(), &how, &mut out).await.unwrap();
    (done, String::from_utf8(out).unwrap())
}

async fn outbox(store: &InMemoryOrdering, command: &[&str]) -> (bool, String) {
    let command = Outbox::try_parse_from([&["dead-letters"], command].concat()).unwrap().command;
    let mut out = Vec::new();
    let done = run(command, store, &PublishAgain, &mut out).await.unwrap();
    (done, String::from_utf8(out).unwrap())
}

async fn status(letters: &InMemoryDeadLetters, id: DeadLetterNumber) -> DeadLetterStatus {
    letters.find(id).await.unwrap().unwrap().state.status()
}

#[tokio::test]
async fn records_are_listed_without_the_control_characters_that_a_terminal_would_obey() {
    let (store, [first, ..]) = three_dead().await;
    let (done, list) = consumer(&store, &["list"]).await;
    assert!(done);
    assert_eq!(list.lines().count(), 3);
    assert!(list.contains("order-created-topic/3@11") && list.contains("is no Avro"), "{list}");
    assert!(!list.contains('\x1b') && !list.contains('\0'), "{list:?}");
    assert!(list.starts_with(&format!("{first}\topen\t2026-01-01T00:00:01.000000Z\t")), "{list}");
    let made = "\t2026-01-01T00:00:00.011000Z\tce_type=orders.OrderCreated ";
    assert!(list.lines().next().unwrap().contains(made), "{list}");
}

#[tokio::test]
async fn a_retry_of_all_says_what_became_of_each_and_fails_if_one_stays_open() {
    let (store, [first, second, third]) = three_dead().await;
    let (done, printed) = consumer(&store, &["retry", "--all"]).await;
    assert!(!done);
    let expected = format!(
        "{first}: still cannot be processed: still no Avro\n{second}: consumed\n\
         {third}: still cannot be processed: still no Avro\n"
    );
    assert_eq!(printed, expected);
    assert!(store.view(sample::order_id(2)).await.unwrap().is_some());
    let letters = store.dead_letter_port();
    assert_eq!(status(&letters, second).await, DeadLetterStatus::Retried);
    assert_eq!(status(&letters, third).await, DeadLetterStatus::Open);
}

#[tokio::test]
async fn what_was_discarded_is_listed_as_discarded_with_its_time() {
    let (store, [first, second, third]) = three_dead().await;
    consumer(&store, &["retry", "2"]).await;
    let (done, printed) = consumer(&store, &["discard", "1", "2"]).await;
    assert!(!done, "the second was retried");
    assert_eq!(
        printed,
        format!("{first}: discarded\n{second}: there is no open dead letter with this id\n")
    );
    assert_eq!(status(&store.dead_letter_port(), third).await, DeadLetterStatus::Open);
    let (_, discarded) = consumer(&store, &["list", "--state", "discarded"]).await;
    assert!(discarded.starts_with(&format!("{first}\tdiscarded\t")), "{discarded}");
    assert!(discarded.ends_with("\t2026-01-01T00:00:05.000000Z\n"), "{discarded}");
}

#[tokio::test]
async fn refused_events_are_selected_by_reason_and_by_event_type() {
    let store = InMemoryOrdering::default();
    let large = store.add_dead_letter(1, 1, "too large").await;
    let cancelled = store.add_dead_letter(2, 2, "too large").await;
    let other = store.add_dead_letter(3, 1, "not allowed").await;

    let (_, list) = outbox(&store, &["list", "--event-type", "OrderCancelled"]).await;
    assert!(list.starts_with(&cancelled.to_string()) && list.lines().count() == 1, "{list}");
    let chosen = ["retry", "--reason", "large", "--event-type", "OrderCreated"];
    assert_eq!(
        outbox(&store, &chosen).await,
        (true, format!("{large}: due to be published again\n"))
    );
    let (_, retried) = outbox(&store, &["list", "--state", "retried"]).await;
    assert!(retried.starts_with(&format!("{large}\tretried\t")), "{retried}");
    assert_eq!(
        outbox(&store, &["discard", "--all"]).await,
        (true, format!("{cancelled}: discarded\n{other}: discarded\n"))
    );
    assert_eq!(outbox(&store, &["list"]).await, (true, String::new()));
}

#[test]
fn an_act_needs_exactly_one_way_of_selection() {
    for wrong in [
        &["retry"][..],
        &["discard"],
        &["retry", "1", "--all"],
        &["retry", "--all", "--reason", "large"],
        &["discard", "1", "--event-type", "OrderCreated"],
        &["discard", "--reason", ""],
        &["retry", "one"],
        &["list", "--state", "closed"],
    ] {
        let parsed = Consumer::try_parse_from([&["dead-letters"], wrong].concat());
        assert!(parsed.is_err(), "{wrong:?}");
    }
}

/// Takes one line and then no more.
struct OneLine(bool);

impl io::Write for OneLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0 = bytes.contains(&b'\n');
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_retry_ends_when_its_results_cannot_be_printed() {
    let store = InMemoryOrdering::default();
    for n in 1..=3 {
        store.add_dead_letter(n, 1, "too large").await;
    }
    let command = Outbox::try_parse_from(["dead-letters", "retry", "--all"]).unwrap().command;
    let done = run(command, &store, &PublishAgain, &mut OneLine(false)).await;
    assert!(matches!(done, Err(CommandError::Print(_))), "{done:?}");
    let (_, open) = outbox(&store, &["list"]).await;
    assert_eq!(open.lines().count(), 1);
}
