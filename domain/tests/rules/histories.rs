//! `Order::fold` accepts the history of one order and refuses any other list of events.

use domain::ordering::{
    FoldError, Order, OrderCancelled, OrderEvent, OrderFact, OrderStatus, StatusName,
};
use domain::{OrderId, OrderVersion, Outcome};
use proptest::prelude::*;
use uuid::Uuid;

use crate::generators as arbitrary;

/// An order that somebody asked to cancel, with its two events.
fn order_to_cancel() -> impl Strategy<Value = (Order, Vec<OrderEvent>)> {
    let (new, reason) = (arbitrary::new_order(), arbitrary::cancel_reason());
    (new, arbitrary::event_stamp(), reason, arbitrary::event_stamp()).prop_map(
        |(new, placed, reason, asked)| {
            let mut order = Order::place(new, placed);
            assert_eq!(order.request_cancellation(reason, asked), Ok(Outcome::Applied));
            let events = order.recorded().to_vec();
            (order, events)
        },
    )
}

proptest! {
    #[test]
    fn folding_a_prefix_gives_the_order_at_that_version((order, events) in order_to_cancel()) {
        let first = Order::fold(&events[..1]).unwrap();
        prop_assert_eq!(first.version(), OrderVersion::FIRST);
        prop_assert_eq!(Order::fold(&events).unwrap(), order.saved());
    }

    #[test]
    fn a_history_begins_with_the_creation((_, events) in order_to_cancel()) {
        prop_assert_eq!(Order::fold([]), Err(FoldError::NoCreation));
        prop_assert_eq!(Order::fold(&events[1..]), Err(FoldError::NoCreation));
        let mut late = events[0].clone();
        late.version = late.version.next();
        prop_assert_eq!(Order::fold([&late]), Err(FoldError::NoCreation));
    }

    #[test]
    fn a_history_has_no_gap_and_no_repeat(
        (_, mut events) in order_to_cancel(),
        found in arbitrary::version(),
    ) {
        prop_assume!(found != events[1].version);
        events[1].version = found;
        let error = FoldError::NotContiguous { after: OrderVersion::FIRST, found };
        prop_assert_eq!(Order::fold(&events), Err(error));
    }

    #[test]
    fn a_history_is_of_one_order((order, mut events) in order_to_cancel()) {
        let other = OrderId::new(Uuid::from_u128(order.id().get().as_u128() ^ 1));
        events[1].order_id = other;
        let error = FoldError::OtherOrder { version: events[1].version, order_id: other };
        prop_assert_eq!(Order::fold(&events), Err(error));
    }

    #[test]
    fn each_event_of_a_history_is_possible_when_it_happens((_, events) in order_to_cancel()) {
        let second = events[1].version;
        let mut placed_again = events[0].clone();
        placed_again.version = second;
        let error = FoldError::NotPossible { version: second };
        prop_assert_eq!(Order::fold([&events[0], &placed_again]), Err(error));

        let mut asked_again = events[1].clone();
        asked_again.version = second.next();
        let error = FoldError::NotPossible { version: second.next() };
        let history = events.iter().chain([&asked_again]);
        prop_assert_eq!(Order::fold(history), Err(error));
    }

    #[test]
    fn an_order_that_an_earlier_version_cancelled_at_once_is_understood(
        (_, mut events) in order_to_cancel(),
        reason in arbitrary::cancel_reason(),
    ) {
        events[1].fact = OrderFact::Cancelled(OrderCancelled { reason: reason.clone() });
        let order = Order::fold(&events).unwrap();
        let state = order.snapshot();
        let at = events[1].occurred_at;
        prop_assert_eq!(state.status(), OrderStatus::Cancelled { reason, at });
        let statuses: Vec<_> = state.history.iter().map(|change| change.status).collect();
        prop_assert_eq!(statuses, [StatusName::Created, StatusName::Cancelled]);
        prop_assert_eq!(Order::restore(state.clone()), Ok(order));
    }
}
