//! Contract of [`PharmacyOrders`]: a batch of orders is saved in one transaction, and no consumer
//! overwrites a concurrent change of another.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::OrderVersion;
use domain::pharmacy::{
    Cancellation, Command, Contents, PharmacyOrder, Rejection, RejectionCode, RequestedItem,
    RequestedMedication,
};
use futures_util::future::join_all;

use super::{PharmacyFixture, sample};
use crate::pharmacy::{OrderRevision, PharmacyOrders, SaveAllError};
use crate::published::DeadLetter;

/// Makes one `#[test]` per test function of [`pharmacy_orders_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! pharmacy_orders_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, pharmacy_orders_contract:
            orders_are_found_as_they_were_saved,
            contents_received_after_the_cancellation_are_saved,
            redacted_orders_are_found_as_they_were_saved,
            work_is_found_as_it_was_saved,
            recorded_events_are_stored_in_their_sequence,
            a_conflict_stores_no_event,
            only_the_requested_orders_are_found,
            each_save_raises_the_revision,
            a_concurrent_save_of_an_order_is_a_conflict,
            a_new_order_that_exists_is_a_conflict,
            a_conflict_stores_nothing_of_the_batch,
            dead_letters_are_stored_with_their_bytes,
            a_dead_letter_is_stored_once,
            exactly_one_of_several_parallel_saves_of_an_order_succeeds,
        }
    };
}

pub async fn orders_are_found_as_they_were_saved<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    let mut all = vec![created(1), created(2), cancelled(created(3)), cancelled(empty_order(4))];
    orders.save_all(&revised(&all, 0), &[]).await.expect("saved");

    let mut found = find(&orders, 1..=4).await;
    found.sort_by_key(|revised| revised.order.id());
    all.sort_by_key(PharmacyOrder::id);
    assert_eq!(found, stored(&all, 1));
}

pub async fn contents_received_after_the_cancellation_are_saved<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[cancelled(empty_order(1))], 0), &[]).await.expect("saved");
    let mut late = cancelled(empty_order(1)).saved();
    assert!(late.order_created(OrderVersion::FIRST, contents(1)).is_applied());
    orders.save_all(&revised(std::slice::from_ref(&late), 1), &[]).await.expect("saved");
    assert_eq!(find(&orders, [1]).await, stored(&[late], 2));
}

pub async fn redacted_orders_are_found_as_they_were_saved<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    let all = [cancelled(created(1)), worked_on(2, 5), created(3), empty_order(4)];
    orders.save_all(&revised(&all[..3], 0), &[]).await.expect("saved");
    let redacted: Vec<_> = all.map(|order| redacted(order.saved())).into();
    orders.save_all(&revised(&redacted[..3], 1), &[]).await.expect("saved");
    orders.save_all(&revised(&redacted[3..], 0), &[]).await.expect("saved");
    for (n, revision, order) in [(1, 2, 0), (2, 2, 1), (3, 2, 2), (4, 1, 3)] {
        let expected = stored(&redacted[order..=order], revision);
        assert_eq!(find(&orders, [n]).await, expected);
    }
}

pub async fn work_is_found_as_it_was_saved<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    let all: Vec<_> = (0..=5).map(|steps| worked_on(steps + 1, steps)).collect();
    orders.save_all(&revised(&all, 0), &[]).await.expect("saved");
    for (n, order) in (1..).zip(&all) {
        assert_eq!(find(&orders, [n]).await, stored(std::slice::from_ref(order), 1));
    }
}

pub async fn recorded_events_are_stored_in_their_sequence<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    let all = [worked_on(1, 3), cancelled(worked_on(2, 2)), created(3)];
    orders.save_all(&revised(&all, 0), &[]).await.expect("saved");
    let mut found = find(&orders, [1]).await;
    let order = &mut found[0].order;
    assert!(order.carry_out(Command::Dispense, sample::event_stamp(1, 14)).is_ok());
    orders.save_all(&found, &[]).await.expect("saved");

    let ids = |n, versions: &[u32]| versions.iter().map(|v| sample::event_id(n, *v)).collect();
    let expected: [Vec<_>; 3] = [ids(1, &[11, 12, 13, 14]), ids(2, &[11, 12, 2]), ids(3, &[])];
    for (n, expected) in (1..).zip(expected) {
        assert_eq!(fixture.recorded(sample::order_id(n)).await, expected);
    }
}

pub async fn a_conflict_stores_no_event<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(1)], 0), &[]).await.expect("saved");
    let batch = [worked_on(2, 1), cancelled(created(1))];
    assert_conflict(&orders.save_all(&revised(&batch, 0), &[]).await);
    for n in 1..=2 {
        assert_eq!(fixture.recorded(sample::order_id(n)).await, []);
    }
}

pub async fn only_the_requested_orders_are_found<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(1), created(2)], 0), &[]).await.expect("saved");
    assert_eq!(find(&orders, [2, 3]).await, stored(&[created(2)], 1));
    assert_eq!(find(&orders, []).await, []);
}

pub async fn each_save_raises_the_revision<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(1)], 0), &[]).await.expect("saved");
    let mut found = find(&orders, [1]).await;
    found[0].order = cancelled(found[0].order.clone());
    orders.save_all(&found, &[]).await.expect("saved");
    assert_eq!(find(&orders, [1]).await, stored(&[cancelled(created(1))], 2));
}

pub async fn a_concurrent_save_of_an_order_is_a_conflict<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(1)], 0), &[]).await.expect("saved");
    orders.save_all(&revised(&[cancelled(created(1))], 1), &[]).await.expect("saved");
    assert_conflict(&orders.save_all(&revised(&[created(1)], 1), &[]).await);
    assert_eq!(find(&orders, [1]).await, stored(&[cancelled(created(1))], 2));
}

pub async fn a_new_order_that_exists_is_a_conflict<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(1)], 0), &[]).await.expect("saved");
    assert_conflict(&orders.save_all(&revised(&[cancelled(empty_order(1))], 0), &[]).await);
    assert_eq!(find(&orders, [1]).await, stored(&[created(1)], 1));
}

pub async fn a_conflict_stores_nothing_of_the_batch<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&revised(&[created(2)], 0), &[]).await.expect("saved");
    let batch = revised(&[created(1), cancelled(created(2)), created(3)], 0);
    assert_conflict(&orders.save_all(&batch, &[letter(7)]).await);

    assert_eq!(find(&orders, 1..=3).await, stored(&[created(2)], 1));
    assert_eq!(fixture.dead_letters().await, []);
}

pub async fn dead_letters_are_stored_with_their_bytes<F: PharmacyFixture>(fixture: &F) {
    let mut tombstone = letter(8);
    tombstone.record.key = None;
    tombstone.record.value = None;
    let orders = fixture.orders();
    orders.save_all(&[], &[letter(7), tombstone.clone()]).await.expect("saved");

    let mut stored = fixture.dead_letters().await;
    stored.sort_by_key(|letter| letter.record.offset);
    assert_eq!(stored, [letter(7), tombstone]);
}

pub async fn a_dead_letter_is_stored_once<F: PharmacyFixture>(fixture: &F) {
    let orders = fixture.orders();
    orders.save_all(&[], &[letter(7), letter(7)]).await.expect("saved");
    orders.save_all(&revised(&[created(1)], 0), &[letter(7)]).await.expect("saved");
    assert_eq!(fixture.dead_letters().await, [letter(7)]);
    assert_eq!(find(&orders, [1]).await.len(), 1);
}

pub async fn exactly_one_of_several_parallel_saves_of_an_order_succeeds<F: PharmacyFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    let batches: Vec<_> = (1..=6).map(|n| revised(&[created(9), created(n)], 0)).collect();
    let results = join_all(batches.iter().map(|batch| orders.save_all(batch, &[]))).await;

    let saved = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(saved, 1, "{results:?}");
    // The two orders of the batch that was saved, and nothing of the other batches.
    assert_eq!(find(&orders, 1..=9).await.len(), 2);
}

/// The pharmacy's order `n` after `OrderCreated`.
pub(super) fn created(n: u32) -> PharmacyOrder {
    let mut order = empty_order(n);
    assert!(order.order_created(OrderVersion::FIRST, contents(n)).is_applied());
    order
}

/// The pharmacy's order `n` after this many steps: it is confirmed, started, ready, dispensed; with 5
/// steps it is rejected instead. The versions of the sample events begin at 11.
fn worked_on(n: u32, steps: u32) -> PharmacyOrder {
    let rejection =
        Rejection { code: RejectionCode::OutOfStock, text: "Not here".parse().expect("a text") };
    let commands = match steps {
        5 => vec![Command::Reject(rejection)],
        _ => vec![Command::Confirm, Command::Start, Command::MarkReady, Command::Dispense],
    };
    let mut order = created(n);
    for (command, version) in commands.into_iter().take(steps as usize).zip(11..) {
        assert!(order.carry_out(command, sample::event_stamp(n, version)).is_ok());
    }
    order
}

/// The contents of order `n`: items with a complete medication, with none, and with one without a
/// display name. Orders with an odd number have a note.
fn contents(n: u32) -> Contents {
    let medication = |display: Option<&str>| RequestedMedication {
        system: "http://snomed.info/sct".to_owned(),
        code: "387517004".to_owned(),
        display: display.map(str::to_owned),
    };
    Contents {
        customer_name: "Ærøskøbing Апотека".to_owned(),
        items: vec![
            RequestedItem {
                product_id: i64::MAX,
                quantity: 999,
                medication: Some(medication(Some("Παρακεταμόλη"))),
            },
            RequestedItem { product_id: 1, quantity: 1, medication: None },
            RequestedItem { product_id: 2, quantity: 1, medication: Some(medication(None)) },
        ],
        note: (n % 2 == 1).then(|| "til døren,\ntak".to_owned()),
        ordered_at: sample::at(n),
    }
}

/// The order after `OrderCancelled`.
pub(super) fn cancelled(mut order: PharmacyOrder) -> PharmacyOrder {
    let version = OrderVersion::FIRST.next();
    let cancellation = Cancellation { reason: "no longer needed".to_owned(), at: sample::at(90) };
    let n = u32::try_from(order.id().get().as_u128() & 0xff).expect("the number of a sample");
    let outcome = order.cancellation_told(version, cancellation, sample::event_stamp(n, 2));
    assert!(outcome.is_applied());
    order
}

/// The order after `OrderRedacted`.
fn redacted(mut order: PharmacyOrder) -> PharmacyOrder {
    let version = OrderVersion::try_from(3).expect("a version");
    assert!(order.order_redacted(version).is_applied());
    order
}

/// The orders, all at this revision.
pub(super) fn revised(orders: &[PharmacyOrder], revision: i64) -> Vec<OrderRevision> {
    orders.iter().map(|order| OrderRevision { order: order.clone(), revision }).collect()
}

/// The orders as a store returns them, all at this revision.
fn stored(orders: &[PharmacyOrder], revision: i64) -> Vec<OrderRevision> {
    let saved: Vec<_> = orders.iter().cloned().map(PharmacyOrder::saved).collect();
    revised(&saved, revision)
}

fn empty_order(n: u32) -> PharmacyOrder {
    PharmacyOrder::new(sample::order_id(n))
}

fn letter(offset: i64) -> DeadLetter {
    let record = sample::record(offset, Some(sample::order_id(1)));
    DeadLetter { record, reason: "cannot be read".to_owned() }
}

async fn find(
    orders: &impl PharmacyOrders,
    numbers: impl IntoIterator<Item = u32>,
) -> Vec<OrderRevision> {
    let ids: Vec<_> = numbers.into_iter().map(sample::order_id).collect();
    orders.find_all(&ids).await.expect("an answer")
}

fn assert_conflict(result: &Result<(), SaveAllError>) {
    assert!(matches!(result, Err(SaveAllError::Conflict)), "{result:?}");
}
