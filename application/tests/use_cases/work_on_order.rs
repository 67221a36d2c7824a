use std::sync::Mutex;

use application::inbox::Inbox;
use application::pharmacy::{
    PharmacyOrders, PharmacyViews, ReceiveOrders, WorkOnOrder, WorkOnOrderError, work_on_order,
};
use application::published::PublishedEvent;
use application::testing::sample::{cancelled, created};
use application::testing::{InMemoryPharmacy, sample};
use domain::pharmacy::{Action, Command, PharmacyFact, WorkStatus};

use crate::now;
use crate::receive::RivalSavesFirst;

fn received(events: &[PublishedEvent]) -> InMemoryPharmacy {
    let store = InMemoryPharmacy::default();
    receive(&store, events);
    store
}

fn receive(store: &InMemoryPharmacy, events: &[PublishedEvent]) {
    let inbox = ReceiveOrders { orders: store.clone(), now: sample::now };
    now(inbox.apply_batch(events, &[])).unwrap();
}

fn carry_out(
    orders: &impl PharmacyOrders,
    command: Command,
    expected: Option<&[i64]>,
) -> Result<(), WorkOnOrderError> {
    let (id, expected) = (sample::order_id(1), expected.map(<[_]>::to_vec));
    now(work_on_order(orders, WorkOnOrder { id, command, expected }, sample::event_stamp(1, 11)))
}

fn status(store: &InMemoryPharmacy) -> WorkStatus {
    now(store.view(sample::order_id(1))).unwrap().unwrap().work.status
}

fn facts(store: &InMemoryPharmacy) -> Vec<PharmacyFact> {
    store.events().into_iter().map(|event| event.fact).collect()
}

#[test]
fn an_order_is_worked_on_until_it_is_dispensed_and_each_step_is_recorded() {
    let store = received(&[created(1)]);
    let commands = [Command::Confirm, Command::Start, Command::MarkReady, Command::Dispense];
    for (command, version) in commands.into_iter().zip(0..) {
        carry_out(&store, command, Some(&[version])).unwrap();
    }
    assert_eq!(status(&store), WorkStatus::Dispensed);
    let expected = [
        PharmacyFact::Confirmed,
        PharmacyFact::PreparationStarted,
        PharmacyFact::Ready,
        PharmacyFact::Dispensed,
    ];
    assert_eq!(facts(&store), expected);
}

#[test]
fn a_repeated_command_changes_nothing() {
    let store = received(&[created(1)]);
    carry_out(&store, Command::Confirm, None).unwrap();
    carry_out(&store, Command::Confirm, None).unwrap();
    assert_eq!(facts(&store), [PharmacyFact::Confirmed]);
}

#[test]
fn an_unknown_order_is_not_found() {
    let result = carry_out(&received(&[created(2)]), Command::Confirm, None);
    assert!(matches!(result, Err(WorkOnOrderError::NotFound)), "{result:?}");
}

#[test]
fn an_order_whose_contents_are_unknown_cannot_be_worked_on() {
    let result = carry_out(&received(&[cancelled(1, 2)]), Command::Confirm, None);
    assert!(matches!(result, Err(WorkOnOrderError::ContentsUnknown)), "{result:?}");
}

#[test]
fn a_command_for_another_version_is_refused() {
    let store = received(&[created(1)]);
    carry_out(&store, Command::Confirm, Some(&[0])).unwrap();
    let result = carry_out(&store, Command::Start, Some(&[0]));
    assert!(matches!(result, Err(WorkOnOrderError::OtherVersion { actual: 1 })), "{result:?}");
    assert_eq!(status(&store), WorkStatus::Confirmed);
}

#[test]
fn a_command_that_is_not_allowed_names_the_status() {
    let result = carry_out(&received(&[created(1)]), Command::Dispense, Some(&[0]));
    let Err(WorkOnOrderError::IllegalTransition(illegal)) = result else {
        panic!("{result:?}");
    };
    assert_eq!((illegal.action, illegal.status), (Action::Dispense, WorkStatus::Draft));
}

#[test]
fn a_cancellation_is_answered_once_however_often_it_is_told() {
    let store = received(&[created(1)]);
    carry_out(&store, Command::Confirm, None).unwrap();
    for _ in 0..3 {
        receive(&store, &[created(1), cancelled(1, 2)]);
    }
    assert_eq!(status(&store), WorkStatus::Cancelled);
    let order_version = cancelled(1, 2).version;
    assert_eq!(facts(&store), [PharmacyFact::Confirmed, PharmacyFact::Cancelled { order_version }]);
}

#[test]
fn an_answer_has_the_same_id_in_a_pharmacy_that_has_lost_everything() {
    let answers = [1, 2].map(|_| {
        let store = received(&[created(1), cancelled(1, 2)]);
        store.events().into_iter().map(|event| event.id).collect::<Vec<_>>()
    });
    assert_eq!(answers[0].len(), 1);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_command_is_decided_again_after_a_concurrent_cancellation() {
    let store = received(&[created(1)]);
    let rivals = Mutex::new(vec![cancelled(1, 2)]);
    let orders = RivalSavesFirst { store: store.clone(), rivals };
    let result = carry_out(&orders, Command::Confirm, None);
    assert!(matches!(result, Err(WorkOnOrderError::IllegalTransition(_))), "{result:?}");
    assert_eq!(status(&store), WorkStatus::Cancelled);
}
