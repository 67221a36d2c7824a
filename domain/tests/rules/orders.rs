//! Property tests of orders under arbitrary sequences of commands.

use domain::Outcome;
use domain::ordering::{Order, OrderEvent, OrderStatus, PharmacyNews};
use proptest::prelude::*;

use crate::generators::{self as arbitrary, Command};

/// Applies all commands to the order. Returns every event the order has recorded, saved ones too.
fn history(order: &mut Order, commands: Vec<Command>) -> Vec<OrderEvent> {
    let mut history = order.recorded().to_vec();
    for command in commands {
        let before = order.recorded().len();
        let saved = matches!(command, Command::SaveAndRestore);
        command.apply_to(order);
        history.extend_from_slice(&order.recorded()[if saved { 0 } else { before }..]);
    }
    history
}

proptest! {
    #[test]
    fn a_new_order_has_the_requested_data(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
    ) {
        let order = Order::place(new.clone(), event_stamp);
        let state = order.snapshot();
        prop_assert_eq!(order.id(), new.id);
        prop_assert_eq!(&state.customer_name, &new.customer_name);
        prop_assert_eq!(&state.items, &new.items);
        prop_assert_eq!(&state.note, &new.note);
        prop_assert_eq!(&state.customer_id, &new.customer_id);
        prop_assert_eq!(state.status(), OrderStatus::Created);
        prop_assert_eq!(state.created_at, event_stamp.at);
        prop_assert_eq!(order.stored_version(), None);
    }

    #[test]
    fn versions_are_contiguous_and_folding_the_events_gives_the_state(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, event_stamp);
        let history = history(&mut order, commands);

        let versions: Vec<i64> = history.iter().map(|event| event.version.get()).collect();
        let contiguous: Vec<i64> = (1..).take(history.len()).collect();
        prop_assert_eq!(versions, contiguous);
        prop_assert!(history.iter().all(|event| event.order_id == order.id()));
        prop_assert_eq!(history.last().map(|event| event.version), Some(order.version()));
        let folded = Order::fold(&history).unwrap();
        prop_assert_eq!(folded, order.saved());
    }

    #[test]
    fn a_repeated_command_is_already_applied_and_records_nothing(
        new in arbitrary::new_order(),
        first in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, first);
        for command in commands {
            let _ = command.clone().apply_to(&mut order);
            let before = order.clone();
            prop_assert_ne!(command.apply_to(&mut order), Some(Outcome::Applied));
            prop_assert_eq!(order.snapshot(), before.snapshot());
        }
    }

    #[test]
    fn an_order_whose_status_is_final_never_changes_unless_it_is_redacted(
        new in arbitrary::new_order(),
        placed in arbitrary::event_stamp(),
        rejection in arbitrary::rejection(),
        finished in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let rejected = PharmacyNews::Rejected(rejection);
        for news in [PharmacyNews::Cancelled, PharmacyNews::Dispensed, rejected] {
            let mut order = Order::place(new.clone(), placed);
            prop_assert_eq!(order.follow(news, finished), Outcome::Applied);
            let before = order.snapshot().clone();
            let others = commands.iter().filter(|it| !matches!(it, Command::Redact(_)));
            for command in others.cloned() {
                prop_assert_ne!(command.apply_to(&mut order), Some(Outcome::Applied));
                prop_assert_eq!(order.snapshot(), &before);
            }
        }
    }

    #[test]
    fn restoring_a_snapshot_gives_the_same_order(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, event_stamp);
        history(&mut order, commands);
        let restored = Order::restore(order.snapshot().clone()).unwrap();
        prop_assert_eq!(restored.recorded(), &[]);
        prop_assert_eq!(restored.stored_version(), Some(order.version()));
        prop_assert_eq!(restored, order.saved());
    }

    #[test]
    fn the_stored_version_is_the_version_before_the_recorded_events(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, event_stamp);
        let mut stored = None;
        for command in commands {
            if matches!(command, Command::SaveAndRestore) {
                stored = Some(order.version());
            }
            command.apply_to(&mut order);
            prop_assert_eq!(order.stored_version(), stored);
        }
    }
}
