//! `Order::restore` refuses states that no sequence of events leads to.

use domain::ordering::{
    Cancellation, Order, OrderSnapshot, PharmacyNews, Progress, RestoreError, StatusChange,
    StatusName,
};
use domain::{OrderVersion, Outcome, Timestamp};
use proptest::prelude::*;

use crate::generators as arbitrary;

fn version(number: i64) -> OrderVersion {
    OrderVersion::try_from(number).unwrap()
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// The state of an order with these statuses, one microsecond after each other.
fn state(
    order: &Order,
    statuses: &[StatusName],
    progress: Progress,
    cancellation: Option<Cancellation>,
) -> OrderSnapshot {
    let history = statuses.iter().zip(1..).map(|(&status, n)| StatusChange { status, at: at(n) });
    OrderSnapshot {
        progress,
        cancellation,
        history: history.collect(),
        version: version(i64::try_from(statuses.len()).unwrap().max(1)),
        created_at: at(1),
        ..order.snapshot().clone()
    }
}

proptest! {
    #[test]
    fn an_order_is_restored_only_at_the_version_of_its_latest_event(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        commands in arbitrary::commands(),
        version in arbitrary::version(),
    ) {
        let mut order = Order::place(new, event_stamp);
        for command in commands {
            let _ = command.apply_to(&mut order);
        }
        let state = order.snapshot();
        let was_requested =
            state.history.iter().any(|change| change.status == StatusName::CancellationRequested);
        let is_cancelled = matches!(state.cancellation, Some(Cancellation::Granted { .. }));
        let changes = i64::try_from(state.history.len()).unwrap()
            + i64::from(state.redacted_at.is_some());
        let possible = if is_cancelled && was_requested {
            // Nobody knows any more whether the request was declined first.
            vec![changes, changes + 1]
        } else {
            vec![order.version().get()]
        };
        prop_assert!(possible.contains(&order.version().get()));
        let restored = Order::restore(OrderSnapshot { version, ..state.clone() });
        if possible.contains(&version.get()) {
            prop_assert_eq!(restored.map(|order| order.version()), Ok(version));
        } else {
            prop_assert_eq!(restored, Err(RestoreError::Version(version)));
        }
    }

    #[test]
    fn a_state_that_no_history_leads_to_is_not_restored(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        reason in arbitrary::cancel_reason(),
    ) {
        use StatusName::{Cancelled, CancellationRequested, Completed, Confirmed, Created, Ready};
        let order = Order::place(new, event_stamp);
        let requested = |n| Some(Cancellation::Requested { reason: reason.clone(), at: at(n) });
        let granted = |n| Some(Cancellation::Granted { reason: reason.clone(), at: at(n) });
        let declined = Some(Cancellation::Declined { at: at(9) });
        let possible = |statuses: &[StatusName], progress, cancellation| {
            Order::restore(state(&order, statuses, progress, cancellation)).map(drop)
        };
        prop_assert_eq!(possible(&[Created], Progress::Created, None), Ok(()));
        prop_assert_eq!(possible(&[Created, Cancelled], Progress::Created, granted(2)), Ok(()));
        prop_assert_eq!(
            possible(&[Created, CancellationRequested, Completed], Progress::Completed, requested(2)),
            Ok(())
        );

        for statuses in [&[][..], &[Confirmed], &[Cancelled, Created]] {
            let refused = possible(statuses, Progress::Created, None);
            prop_assert_eq!(refused, Err(RestoreError::NoCreation));
        }
        for (statuses, wrong) in [
            (&[Created, Created][..], Created),
            (&[Created, Ready, Confirmed], Confirmed),
            (&[Created, Completed, Cancelled], Cancelled),
            (&[Created, Cancelled, Completed], Completed),
            (&[Created, Completed, CancellationRequested], CancellationRequested),
            (
                &[Created, CancellationRequested, CancellationRequested],
                CancellationRequested,
            ),
        ] {
            let refused = possible(statuses, Progress::Created, None);
            prop_assert_eq!(refused, Err(RestoreError::NotPossible(wrong)));
        }
        for (statuses, progress, cancellation) in [
            (&[Created][..], Progress::Confirmed, None),
            (&[Created, Confirmed], Progress::Created, None),
            (&[Created], Progress::Created, requested(1)),
            (&[Created], Progress::Created, granted(1)),
            (&[Created], Progress::Created, declined.clone()),
            (&[Created, CancellationRequested], Progress::Created, None),
            (&[Created, CancellationRequested], Progress::Created, granted(2)),
            (&[Created, CancellationRequested], Progress::Created, requested(3)),
            (&[Created, Cancelled], Progress::Created, requested(2)),
            (&[Created, Cancelled], Progress::Created, granted(3)),
            (&[Created, Completed], Progress::Completed, granted(2)),
            (&[Created, Cancelled], Progress::Created, declined),
        ] {
            let refused = possible(statuses, progress, cancellation);
            prop_assert_eq!(refused, Err(RestoreError::OtherState));
        }
    }

    #[test]
    fn an_order_that_was_cancelled_after_it_was_requested_is_restored(
        new in arbitrary::new_order(),
        event_stamp in arbitrary::event_stamp(),
        reason in arbitrary::cancel_reason(),
    ) {
        let mut order = Order::place(new, event_stamp);
        prop_assert_eq!(order.request_cancellation(reason, event_stamp), Ok(Outcome::Applied));
        for news in [PharmacyNews::CancellationDeclined, PharmacyNews::Cancelled] {
            prop_assert_eq!(order.follow(news, event_stamp), Outcome::Applied);
        }
        prop_assert_eq!(order.version(), version(4));
        prop_assert_eq!(Order::restore(order.snapshot().clone()), Ok(order.saved()));
    }
}
