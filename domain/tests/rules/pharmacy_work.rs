//! The pharmacy's work on an order: every pair of status and command, and arbitrary sequences.

use domain::pharmacy::{
    Action, Command, IllegalTransition, PharmacyFact, Rejection, RejectionCode, Work, WorkSnapshot,
    WorkStatus,
};
use domain::{EventId, EventStamp, OrderId, OrderVersion, Outcome, Timestamp};
use proptest::prelude::*;

use crate::generators as arbitrary;

fn order_id() -> OrderId {
    OrderId::new(uuid::Uuid::from_u128(7))
}

fn version(number: i64) -> OrderVersion {
    OrderVersion::try_from(number).unwrap()
}

fn event_stamp(number: i64) -> EventStamp {
    let event_id = EventId::new(uuid::Uuid::from_u128(u128::try_from(number).unwrap()));
    EventStamp { event_id, at: Timestamp::from_micros(number).unwrap() }
}

fn rejection(code: RejectionCode) -> Rejection {
    Rejection { code, text: "we have none".parse().unwrap() }
}

fn commands() -> [Command; 5] {
    let reject = Command::Reject(rejection(RejectionCode::OutOfStock));
    [Command::Confirm, Command::Start, Command::MarkReady, Command::Dispense, reject]
}

fn in_status(status: WorkStatus) -> Work {
    let order_id = order_id();
    let (version, answered, history) = (Some(version(1)), None, Vec::new());
    Work::restore(WorkSnapshot { order_id, status, version, answered, history })
}

#[test]
fn every_command_in_every_status_is_applied_or_repeated_or_refused() {
    const APPLIED: Option<Outcome> = Some(Outcome::Applied);
    const REPEATED: Option<Outcome> = Some(Outcome::AlreadyApplied);
    const REFUSED: Option<Outcome> = None;
    let rejected = WorkStatus::Rejected(rejection(RejectionCode::OutOfStock));
    // Confirm, start, mark as ready, dispense, reject.
    let table = [
        (WorkStatus::Draft, [APPLIED, REFUSED, REFUSED, REFUSED, APPLIED]),
        (WorkStatus::Confirmed, [REPEATED, APPLIED, REFUSED, REFUSED, APPLIED]),
        (WorkStatus::InPreparation, [REFUSED, REPEATED, APPLIED, REFUSED, APPLIED]),
        (WorkStatus::Ready, [REFUSED, REFUSED, REPEATED, APPLIED, REFUSED]),
        (WorkStatus::Dispensed, [REFUSED, REFUSED, REFUSED, REPEATED, REFUSED]),
        (rejected, [REFUSED, REFUSED, REFUSED, REFUSED, REPEATED]),
        (WorkStatus::Cancelled, [REFUSED, REFUSED, REFUSED, REFUSED, REFUSED]),
    ];
    for (status, expected) in table {
        for (command, expected) in commands().into_iter().zip(expected) {
            let mut work = in_status(status.clone());
            let action = command.action();
            let result = work.carry_out(command, event_stamp(1));
            assert_eq!(result.clone().ok(), expected, "{action:?} in {status:?}");
            assert_eq!(work.recorded().len(), usize::from(expected == APPLIED));
            if expected == REFUSED {
                let status = status.clone();
                assert_eq!(result, Err(IllegalTransition { action, status }));
                assert_eq!(work, in_status(work.snapshot().status.clone()));
            }
        }
    }
}

#[test]
fn an_order_is_cancelled_in_every_status_before_it_is_dispensed_or_rejected() {
    let order_version = version(2);
    let cancelled = Some(PharmacyFact::Cancelled { order_version });
    let declined = Some(PharmacyFact::CancellationDeclined { order_version });
    let table = [
        (WorkStatus::Draft, cancelled.clone()),
        (WorkStatus::Confirmed, cancelled.clone()),
        (WorkStatus::InPreparation, cancelled.clone()),
        (WorkStatus::Ready, cancelled),
        (WorkStatus::Dispensed, declined.clone()),
        (WorkStatus::Rejected(rejection(RejectionCode::Other)), declined),
        (WorkStatus::Cancelled, None),
    ];
    for (status, expected) in table {
        let mut work = in_status(status.clone());
        let outcome = work.cancellation_requested(version(2), event_stamp(1));
        assert_eq!(outcome.is_applied(), expected.is_some(), "{status:?}");
        let recorded = work.recorded().first().map(|event| event.fact.clone());
        assert_eq!(recorded, expected, "{status:?}");
    }
}

#[test]
fn another_rejection_does_not_replace_the_first_one() {
    let first = WorkStatus::Rejected(rejection(RejectionCode::Duplicate));
    let mut work = in_status(first.clone());
    let other = Command::Reject(rejection(RejectionCode::Other));
    let status = first.clone();
    let refused = IllegalTransition { action: Action::Reject, status };
    assert_eq!(work.carry_out(other, event_stamp(1)), Err(refused));
    assert_eq!(work.snapshot().status, first);
}

/// Something that reaches the pharmacy.
#[derive(Debug, Clone)]
enum Input {
    Command(Command),
    CancellationRequested(OrderVersion),
}

fn input() -> impl Strategy<Value = Input> {
    let code = prop::sample::select(vec![RejectionCode::OutOfStock, RejectionCode::Other]);
    prop_oneof![
        6 => prop::sample::select(commands().to_vec()).prop_map(Input::Command),
        1 => code.prop_map(|code| Input::Command(Command::Reject(rejection(code)))),
        2 => arbitrary::version().prop_map(Input::CancellationRequested),
    ]
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    prop::collection::vec(input(), 0..20)
}

/// Whether the input changed something.
fn apply(work: &mut Work, input: &Input, number: usize) -> bool {
    let event_stamp = event_stamp(i64::try_from(number).unwrap());
    match input.clone() {
        Input::Command(command) => {
            work.carry_out(command, event_stamp).is_ok_and(Outcome::is_applied)
        }
        Input::CancellationRequested(version) => {
            work.cancellation_requested(version, event_stamp).is_applied()
        }
    }
}

fn worked_on(inputs: &[Input]) -> Work {
    let mut work = Work::new(order_id());
    for (number, input) in inputs.iter().enumerate() {
        apply(&mut work, input, number);
    }
    work
}

proptest! {
    #[test]
    fn an_order_is_never_cancelled_and_dispensed(inputs in inputs()) {
        let work = worked_on(&inputs);
        let is = |wanted: &WorkStatus| {
            work.recorded().iter().filter(|e| e.fact.status().as_ref() == Some(wanted)).count()
        };
        let (cancelled, dispensed) = (is(&WorkStatus::Cancelled), is(&WorkStatus::Dispensed));
        prop_assert!(cancelled + dispensed <= 1, "{:?}", work.recorded());
    }

    #[test]
    fn a_final_status_never_changes(inputs in inputs()) {
        let work = worked_on(&inputs);
        let history = &work.snapshot().history;
        for change in history.iter().rev().skip(1) {
            prop_assert!(!change.status.is_final(), "{history:?}");
        }
    }

    #[test]
    fn every_change_records_one_event_with_the_next_version(inputs in inputs()) {
        let mut work = Work::new(order_id());
        let mut changes = 0_usize;
        for (number, input) in inputs.iter().enumerate() {
            let before = work.clone();
            if apply(&mut work, input, number) {
                changes += 1;
            } else {
                prop_assert_eq!(&work, &before);
            }
            prop_assert_eq!(work.recorded().len(), changes);
        }
        for (event, number) in work.recorded().iter().zip(1..) {
            prop_assert_eq!(event.version, version(number));
            prop_assert_eq!(event.order_id, order_id());
        }
        prop_assert_eq!(work.snapshot().version, work.recorded().last().map(|e| e.version));
    }

    #[test]
    fn the_status_and_the_history_follow_from_the_recorded_events(inputs in inputs()) {
        let work = worked_on(&inputs);
        let statuses: Vec<WorkStatus> =
            work.recorded().iter().filter_map(|event| event.fact.status()).collect();
        let history: Vec<WorkStatus> =
            work.snapshot().history.iter().map(|change| change.status.clone()).collect();
        prop_assert_eq!(&history, &statuses);
        let last = history.last().cloned().unwrap_or(WorkStatus::Draft);
        prop_assert_eq!(&work.snapshot().status, &last);
    }

    #[test]
    fn a_repeated_input_is_answered_once(inputs in inputs()) {
        let mut work = Work::new(order_id());
        for (number, input) in inputs.iter().enumerate() {
            apply(&mut work, input, number);
            prop_assert!(!apply(&mut work, input, number + 100));
        }
        // All requests to cancel once more, as when the topic is replayed.
        let before = work.clone();
        for input in inputs.iter().filter(|i| matches!(i, Input::CancellationRequested(_))) {
            prop_assert!(!apply(&mut work, input, 1_000));
        }
        prop_assert_eq!(work, before);
    }

    #[test]
    fn lost_work_is_recovered_from_its_events_and_answers_no_request_again(
        inputs in inputs(),
        kept in 0..20_usize,
    ) {
        let work = worked_on(&inputs);
        // The store has kept the first events.
        let kept = kept.min(work.recorded().len());
        let mut recovered = Work::new(order_id());
        for event in work.recorded().iter().take(kept).chain(work.recorded()) {
            let _ = recovered.recover(event);
        }
        prop_assert_eq!(recovered.snapshot(), work.snapshot());
        for input in inputs.iter().filter(|i| matches!(i, Input::CancellationRequested(_))) {
            prop_assert!(!apply(&mut recovered, input, 1_000));
        }
        prop_assert_eq!(recovered.recorded(), &[]);
    }

    #[test]
    fn restoring_a_snapshot_gives_the_same_work(inputs in inputs(), more in inputs()) {
        let mut work = worked_on(&inputs);
        let mut restored = Work::restore(work.snapshot().clone());
        let recorded = work.recorded().len();
        for (number, input) in more.iter().enumerate() {
            prop_assert_eq!(apply(&mut work, input, number), apply(&mut restored, input, number));
        }
        prop_assert_eq!(work.snapshot(), restored.snapshot());
        prop_assert_eq!(&work.recorded()[recorded..], restored.recorded());
    }
}
