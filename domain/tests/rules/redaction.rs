//! What is left of an order after the data of its customer were erased.

use domain::ordering::{
    CancelReason, Cancellation, CustomerName, Order, OrderEvent, OrderFact, OrderNote,
    OrderSnapshot, Progress, RejectionText,
};
use domain::{Outcome, REDACTED_TEXT};
use proptest::prelude::*;

use crate::generators::{self as arbitrary, Command};

/// The texts that people wrote about an order.
fn texts(state: &OrderSnapshot) -> Vec<&str> {
    let note = state.note.as_ref().map(OrderNote::as_str);
    let rejection = match &state.progress {
        Progress::Rejected(rejection) => Some(rejection.text.as_str()),
        _ => None,
    };
    let reason = match &state.cancellation {
        Some(Cancellation::Requested { reason, .. } | Cancellation::Granted { reason, .. }) => {
            Some(reason.as_str())
        }
        Some(Cancellation::Declined { .. }) | None => None,
    };
    let name = Some(state.customer_name.as_str());
    [name, note, rejection, reason].into_iter().flatten().collect()
}

fn played(order: &mut Order, commands: Vec<Command>) {
    for command in commands {
        let _ = command.apply_to(order);
    }
}

/// A redaction, with the texts, the version and `redacted_at` of another state.
fn but_for_texts(state: &OrderSnapshot, other: &OrderSnapshot) -> OrderSnapshot {
    OrderSnapshot {
        customer_name: other.customer_name.clone(),
        note: other.note.clone(),
        progress: other.progress.clone(),
        cancellation: other.cancellation.clone(),
        version: other.version,
        redacted_at: other.redacted_at,
        ..state.clone()
    }
}

#[test]
fn the_text_that_replaces_others_is_a_valid_text() {
    assert_eq!(REDACTED_TEXT.parse(), Ok(CustomerName::redacted()));
    assert_eq!(REDACTED_TEXT.parse(), Ok(CancelReason::redacted()));
    assert_eq!(REDACTED_TEXT.parse(), Ok(RejectionText::redacted()));
    assert_eq!(REDACTED_TEXT.parse(), Ok(domain::pharmacy::RejectionText::redacted()));
}

proptest! {
    #[test]
    fn a_redacted_order_has_no_texts_of_people_whatever_happens_before_and_afterwards(
        new in arbitrary::new_order(),
        placed in arbitrary::event_stamp(),
        redacted in arbitrary::event_stamp(),
        before in arbitrary::commands(),
        afterwards in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, placed);
        played(&mut order, before);
        let _ = order.redact(redacted);
        let is_redacted = |state: &OrderSnapshot| {
            state.note.is_none() && texts(state).iter().all(|text| *text == REDACTED_TEXT)
        };
        prop_assert!(is_redacted(order.snapshot()), "{:?}", order.snapshot());
        order = order.saved();
        for command in afterwards {
            let _ = command.apply_to(&mut order);
            prop_assert!(is_redacted(order.snapshot()), "{:?}", order.snapshot());
            for OrderEvent { fact, .. } in order.recorded() {
                let text = match fact {
                    OrderFact::Rejected(rejection) => rejection.text.as_str(),
                    OrderFact::CancellationRequested(requested) => requested.reason.as_str(),
                    OrderFact::Cancelled(cancelled) => cancelled.reason.as_str(),
                    _ => REDACTED_TEXT,
                };
                prop_assert_eq!(text, REDACTED_TEXT);
            }
        }
    }

    #[test]
    fn a_redaction_changes_nothing_but_the_texts(
        new in arbitrary::new_order(),
        placed in arbitrary::event_stamp(),
        redacted in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
    ) {
        let mut order = Order::place(new, placed);
        played(&mut order, commands.into_iter().filter(|it| !matches!(it, Command::Redact(_))).collect());
        let before = order.clone().saved();
        order = order.saved();
        prop_assert_eq!(order.redact(redacted), Outcome::Applied);
        let (state, old) = (order.snapshot(), before.snapshot());
        prop_assert_eq!(&but_for_texts(state, old), old);
        prop_assert_eq!(state.status().name(), old.status().name());
        prop_assert_eq!(state.version, old.version.next());
        prop_assert_eq!(state.redacted_at, Some(redacted.at));
        prop_assert_eq!(&order.recorded()[0].fact, &OrderFact::Redacted);

        let once = order.clone();
        prop_assert_eq!(order.redact(placed), Outcome::AlreadyApplied);
        prop_assert_eq!(order, once);
    }
}
