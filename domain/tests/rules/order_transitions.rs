//! Every pair of an order's state and a command or report, and what the pharmacy reports in any
//! sequence.

use std::collections::HashSet;
use std::mem::discriminant;

use domain::ordering::{
    CancelReason, CannotCancel, NewOrder, Order, OrderCancelled, OrderEvent, OrderFact, OrderItem,
    OrderItems, PharmacyNews, ProductId, Quantity, Rejection, RejectionCode, StatusName,
};
use domain::{EventId, EventStamp, OrderId, Outcome, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use crate::generators::{self as arbitrary, Command};

fn event_stamp(number: u32) -> EventStamp {
    let event_id = EventId::new(Uuid::from_u128(number.into()));
    EventStamp { event_id, at: Timestamp::from_micros(number.into()).unwrap() }
}

fn rejection() -> Rejection {
    Rejection { code: RejectionCode::OutOfStock, text: "we have none".parse().unwrap() }
}

fn reason() -> CancelReason {
    "ordered twice".parse().unwrap()
}

fn placed() -> Order {
    let item = OrderItem {
        product_id: ProductId::try_from(7).unwrap(),
        quantity: Quantity::try_from(1).unwrap(),
        medication: None,
    };
    let new = NewOrder {
        id: OrderId::new(Uuid::from_u128(7)),
        customer_name: "Ada".parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        customer_id: None,
        note: None,
    };
    Order::place(new, event_stamp(1))
}

/// What happens to an order, in the sequence of the columns of the table below.
#[derive(Debug, Clone)]
enum Input {
    Request,
    News(PharmacyNews),
    Redact,
}

use Input::{News, Redact, Request};
use PharmacyNews::{
    CancellationDeclined, Cancelled, Confirmed, Dispensed, PreparationStarted, Ready, Rejected,
};

/// An order to which these happened.
fn after(inputs: &[Input]) -> Order {
    let mut order = placed();
    for (input, number) in inputs.iter().zip(2..) {
        let outcome = apply(&mut order, input, number);
        assert_eq!(outcome, Ok(Outcome::Applied), "{input:?} of {inputs:?}");
    }
    order.saved()
}

fn apply(order: &mut Order, input: &Input, number: u32) -> Result<Outcome, CannotCancel> {
    match input.clone() {
        Request => order.request_cancellation(reason(), event_stamp(number)),
        News(news) => Ok(order.follow(news, event_stamp(number))),
        Redact => Ok(order.redact(event_stamp(number))),
    }
}

#[test]
fn every_command_and_report_in_every_state_is_applied_or_repeated_or_refused() {
    const YES: Result<Outcome, CannotCancel> = Ok(Outcome::Applied);
    const NO: Result<Outcome, CannotCancel> = Ok(Outcome::AlreadyApplied);
    const DECLINED: Result<Outcome, CannotCancel> = Err(CannotCancel::Declined);
    let completed = Err(CannotCancel::Final(StatusName::Completed));
    let rejected = Err(CannotCancel::Final(StatusName::Rejected));
    let reject = || News(Rejected(rejection()));
    let declined = News(CancellationDeclined);
    let columns = [
        Request,
        News(Confirmed),
        News(PreparationStarted),
        News(Ready),
        News(Dispensed),
        News(Rejected(Rejection { code: RejectionCode::Other, ..rejection() })),
        News(Cancelled),
        News(CancellationDeclined),
        Redact,
    ];
    // Request, confirmed, preparation started, ready, dispensed, rejected, cancelled, declined, redact.
    let table = [
        (vec![], [YES, YES, NO, YES, YES, YES, YES, NO, YES]),
        (vec![News(Confirmed)], [YES, NO, NO, YES, YES, YES, YES, NO, YES]),
        (vec![News(Ready)], [YES, NO, NO, NO, YES, YES, YES, NO, YES]),
        (vec![News(Dispensed)], [completed, NO, NO, NO, NO, NO, NO, NO, YES]),
        (vec![reject()], [rejected, NO, NO, NO, NO, NO, NO, NO, YES]),
        (vec![News(Cancelled)], [NO, NO, NO, NO, NO, NO, NO, NO, YES]),
        // While a cancellation is requested, the progress goes on.
        (vec![Request], [NO, YES, NO, YES, YES, YES, YES, YES, YES]),
        (vec![Request, News(Confirmed)], [NO, NO, NO, YES, YES, YES, YES, YES, YES]),
        (vec![News(Ready), Request], [NO, NO, NO, NO, YES, YES, YES, YES, YES]),
        (vec![Request, News(Dispensed)], [NO, NO, NO, NO, NO, NO, NO, YES, YES]),
        (vec![Request, reject()], [NO, NO, NO, NO, NO, NO, NO, YES, YES]),
        (vec![Request, News(Cancelled)], [NO, NO, NO, NO, NO, NO, NO, NO, YES]),
        // A declined cancellation cannot be requested again.
        (vec![Request, declined.clone()], [DECLINED, YES, NO, YES, YES, YES, YES, NO, YES]),
        (
            vec![Request, declined.clone(), News(Confirmed)],
            [DECLINED, NO, NO, YES, YES, YES, YES, NO, YES],
        ),
        (
            vec![News(Ready), Request, declined.clone()],
            [DECLINED, NO, NO, NO, YES, YES, YES, NO, YES],
        ),
        (
            vec![Request, News(Dispensed), declined.clone()],
            [completed, NO, NO, NO, NO, NO, NO, NO, YES],
        ),
        (vec![Request, reject(), declined.clone()], [rejected, NO, NO, NO, NO, NO, NO, NO, YES]),
        (vec![Request, declined.clone(), News(Cancelled)], [NO, NO, NO, NO, NO, NO, NO, NO, YES]),
        // A redacted order goes on as before, and is redacted once.
        (vec![Redact], [YES, YES, NO, YES, YES, YES, YES, NO, NO]),
        (vec![News(Ready), Redact], [YES, NO, NO, NO, YES, YES, YES, NO, NO]),
        (vec![News(Dispensed), Redact], [completed, NO, NO, NO, NO, NO, NO, NO, NO]),
        (vec![reject(), Redact], [rejected, NO, NO, NO, NO, NO, NO, NO, NO]),
        (vec![Request, Redact], [NO, YES, NO, YES, YES, YES, YES, YES, NO]),
        (vec![Redact, Request], [NO, YES, NO, YES, YES, YES, YES, YES, NO]),
        (vec![Request, declined, Redact], [DECLINED, YES, NO, YES, YES, YES, YES, NO, NO]),
        (vec![Request, News(Cancelled), Redact], [NO, NO, NO, NO, NO, NO, NO, NO, NO]),
    ];
    for (inputs, expected) in table {
        for (input, expected) in columns.iter().zip(expected) {
            let before = after(&inputs);
            let mut order = before.clone();
            assert_eq!(apply(&mut order, input, 100), expected, "{input:?} after {inputs:?}");
            assert_eq!(order.recorded().len(), usize::from(expected == YES));
            if expected == YES {
                assert_eq!(order.version(), before.version().next());
            } else {
                assert_eq!(order, before);
            }
        }
    }
}

#[test]
fn an_order_shows_the_progress_or_the_cancellation() {
    for (inputs, status) in [
        (vec![], StatusName::Created),
        (vec![News(Confirmed)], StatusName::Confirmed),
        (vec![News(Confirmed), News(Ready)], StatusName::Ready),
        (vec![News(Dispensed)], StatusName::Completed),
        (vec![News(Rejected(rejection()))], StatusName::Rejected),
        (vec![Request], StatusName::CancellationRequested),
        (vec![Request, News(Dispensed)], StatusName::CancellationRequested),
        (vec![Request, News(Cancelled)], StatusName::Cancelled),
        (vec![Request, News(CancellationDeclined)], StatusName::Created),
        (vec![Request, News(Dispensed), News(CancellationDeclined)], StatusName::Completed),
        (vec![News(Ready), Request, News(CancellationDeclined)], StatusName::Ready),
    ] {
        assert_eq!(after(&inputs).snapshot().status().name(), status, "{inputs:?}");
    }
}

#[test]
fn the_history_has_each_status_with_the_time_when_it_was_reached() {
    let inputs = [News(Confirmed), Redact, Request, News(Dispensed), News(CancellationDeclined)];
    let order = after(&inputs);
    let history: Vec<_> =
        order.snapshot().history.iter().map(|c| (c.status, c.at.as_micros())).collect();
    let expected = [
        (StatusName::Created, 1),
        (StatusName::Confirmed, 2),
        (StatusName::CancellationRequested, 4),
        (StatusName::Completed, 5),
    ];
    assert_eq!(history, expected);
}

#[test]
fn a_cancelled_order_has_the_reason_of_the_request_or_a_fixed_one() {
    let recorded = |inputs: &[Input]| {
        let mut order = after(inputs);
        assert!(order.follow(Cancelled, event_stamp(100)).is_applied());
        let OrderFact::Cancelled(OrderCancelled { reason }) = &order.recorded()[0].fact else {
            panic!("{order:?}")
        };
        reason.clone()
    };
    assert_eq!(recorded(&[Request]), reason());
    let fixed = CancelReason::of_the_pharmacy();
    assert_eq!(recorded(&[News(Confirmed)]), fixed);
    assert_eq!(recorded(&[Request, News(CancellationDeclined)]), fixed);
    assert_eq!(fixed.as_str().parse(), Ok(fixed.clone()));
}

#[test]
fn the_names_of_statuses_and_rejection_codes_can_be_parsed() {
    for status in StatusName::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    for code in RejectionCode::ALL {
        assert_eq!(code.as_str().parse(), Ok(code));
    }
    assert!("Created".parse::<StatusName>().is_err());
    assert!("".parse::<RejectionCode>().is_err());
}

/// Applies the commands. Returns the order and all events it has recorded.
fn played(commands: Vec<Command>) -> (Order, Vec<OrderEvent>) {
    let mut order = placed();
    let mut events = order.recorded().to_vec();
    for command in commands {
        let saved = order.saved();
        order = saved;
        let _ = command.apply_to(&mut order);
        events.extend_from_slice(order.recorded());
    }
    (order.saved(), events)
}

/// The pharmacy's reports in the commands. It declines only what was requested before.
fn news_of(commands: &[Command]) -> Vec<PharmacyNews> {
    let mut requested = false;
    let mut news = Vec::new();
    for command in commands {
        match command {
            Command::RequestCancellation(..) => requested = true,
            Command::Follow(CancellationDeclined, _) if !requested => {}
            Command::Follow(reported, _) => news.push(reported.clone()),
            Command::Redact(_) | Command::SaveAndRestore => {}
        }
    }
    news
}

proptest! {
    #[test]
    fn an_order_is_never_cancelled_and_completed(commands in arbitrary::commands()) {
        let (_, events) = played(commands);
        let finals = events.iter().filter(|event| {
            matches!(
                event.fact,
                OrderFact::Completed | OrderFact::Rejected(_) | OrderFact::Cancelled(_)
            )
        });
        prop_assert!(finals.count() <= 1, "{events:?}");
    }

    #[test]
    fn each_type_of_event_occurs_at_most_once(commands in arbitrary::commands()) {
        let (_, events) = played(commands);
        let mut types = HashSet::new();
        for event in &events {
            prop_assert!(types.insert(discriminant(&event.fact)), "{events:?}");
        }
    }

    #[test]
    fn the_recorded_events_lead_to_the_state_and_its_snapshot_is_restored(
        commands in arbitrary::commands(),
    ) {
        let (order, events) = played(commands);
        for (event, version) in events.iter().zip(1..) {
            prop_assert_eq!(event.version.get(), version);
        }
        prop_assert_eq!(Order::fold(&events), Ok(order.clone()));
        prop_assert_eq!(Order::restore(order.snapshot().clone()), Ok(order));
    }

    #[test]
    fn all_reports_once_more_in_any_sequence_change_nothing(
        (commands, again) in arbitrary::commands().prop_flat_map(|commands| {
            let news = news_of(&commands);
            (Just(commands), Just(news).prop_shuffle())
        }),
    ) {
        let (mut order, _) = played(commands);
        let before = order.clone();
        for (news, number) in again.into_iter().zip(1_000..) {
            prop_assert_eq!(order.follow(news, event_stamp(number)), Outcome::AlreadyApplied);
        }
        prop_assert_eq!(order, before);
    }

    #[test]
    fn an_order_ends_the_same_if_late_reports_of_progress_arrive_after_the_last_one(
        news in prop::sample::subsequence(vec![Confirmed, PreparationStarted, Ready], 0..=3)
            .prop_shuffle(),
    ) {
        let mut order = placed();
        let _ = order.follow(Dispensed, event_stamp(2));
        let before = order.clone();
        for (news, number) in news.into_iter().zip(3..) {
            prop_assert_eq!(order.follow(news, event_stamp(number)), Outcome::AlreadyApplied);
        }
        prop_assert_eq!(order, before);
    }
}
