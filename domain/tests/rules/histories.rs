//! `Order::fold` accepts the history of one order and refuses any other list of events.

use domain::ordering::{FoldError, Order, OrderEvent};
use domain::{OrderId, OrderVersion};
use proptest::prelude::*;
use uuid::Uuid;

use crate::generators as arbitrary;

/// An order that was placed and cancelled, with its two events.
fn cancelled_order() -> impl Strategy<Value = (Order, Vec<OrderEvent>)> {
    let (new, reason) = (arbitrary::new_order(), arbitrary::cancel_reason());
    (new, arbitrary::event_stamp(), reason, arbitrary::event_stamp()).prop_map(
        |(new, placed, reason, cancelled)| {
            let mut order = Order::place(new, placed);
            assert!(order.cancel(reason, cancelled).is_applied());
            let events = order.recorded().to_vec();
            (order, events)
        },
    )
}

proptest! {
    #[test]
    fn folding_a_prefix_gives_the_order_at_that_version((order, events) in cancelled_order()) {
        let first = Order::fold(&events[..1]).unwrap();
        prop_assert_eq!(first.version(), OrderVersion::FIRST);
        prop_assert_eq!(Order::fold(&events).unwrap(), order.saved());
    }

    #[test]
    fn a_history_begins_with_the_creation((_, events) in cancelled_order()) {
        prop_assert_eq!(Order::fold([]), Err(FoldError::NoCreation));
        prop_assert_eq!(Order::fold(&events[1..]), Err(FoldError::NoCreation));
        let mut late = events[0].clone();
        late.version = late.version.next();
        prop_assert_eq!(Order::fold([&late]), Err(FoldError::NoCreation));
    }

    #[test]
    fn a_history_has_no_gap_and_no_repeat(
        (_, mut events) in cancelled_order(),
        found in arbitrary::version(),
    ) {
        prop_assume!(found != events[1].version);
        events[1].version = found;
        let error = FoldError::NotContiguous { after: OrderVersion::FIRST, found };
        prop_assert_eq!(Order::fold(&events), Err(error));
    }

    #[test]
    fn a_history_is_of_one_order((order, mut events) in cancelled_order()) {
        let other = OrderId::new(Uuid::from_u128(order.id().get().as_u128() ^ 1));
        events[1].order_id = other;
        let error = FoldError::OtherOrder { version: events[1].version, order_id: other };
        prop_assert_eq!(Order::fold(&events), Err(error));
    }

    #[test]
    fn each_event_of_a_history_is_possible_when_it_happens((_, events) in cancelled_order()) {
        let second = events[1].version;
        let mut placed_again = events[0].clone();
        placed_again.version = second;
        let error = FoldError::NotPossible { version: second };
        prop_assert_eq!(Order::fold([&events[0], &placed_again]), Err(error));

        let mut cancelled_again = events[1].clone();
        cancelled_again.version = second.next();
        let error = FoldError::NotPossible { version: second.next() };
        let history = events.iter().chain([&cancelled_again]);
        prop_assert_eq!(Order::fold(history), Err(error));
    }
}
