use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::checks::{Check, Finding};
use crate::demo::addressee::Addressee;
use crate::demo::customer::PlacedOrder;
use crate::demo::letters::{Letter, Letters};
use crate::demo::reader::{Notification, Seen};
use crate::demo::webhook::{Calls, EVENTS};

/// The letters about the order, in the sequence of their arrival, each with the version of the order.
pub(super) fn letters_about<'a>(seen: &Seen, letters: &'a Letters) -> Vec<(i64, &'a Letter)> {
    let about = |event: &Notification| {
        let of_event = letters.get(&event.event_id).into_iter().flatten();
        let version = event.order_version;
        of_event.map(move |letter| (version, letter))
    };
    let mut found: Vec<_> = seen.logged().flat_map(about).collect();
    found.sort_unstable_by_key(|(_, letter)| letter.number);
    found
}

/// Checks that the customer has each wanted letter once, in order, and no other one.
pub(super) fn check_letters(
    order: &PlacedOrder,
    seen: &Seen,
    letters: &Letters,
) -> Option<Finding> {
    let found = letters_about(seen, letters);
    let wants = versions(seen, |event| {
        let addressee = order.addressee?;
        Some(addressee.is_told_of(event.event()?))
    });
    let has: Vec<i64> = found.iter().map(|(version, _)| *version).collect();
    let email = order.addressee.map(Addressee::email).unwrap_or_default();
    let what = match found.iter().find(|(_, letter)| letter.to != email) {
        _ if has != wants => format!("letters about versions {has:?} instead of {wants:?}"),
        Some((_, letter)) => format!("a letter to {} instead of {email}", letter.to),
        None => return None,
    };
    Some(Finding { check: Check::Letters, what: format!("{}: {what}", order.id) })
}

/// Checks that the webhook was called for each event of its types, in order. A call can be repeated,
/// because delivery is at least once.
pub(super) fn check_calls(order: &PlacedOrder, seen: &Seen, calls: &Calls) -> Option<Finding> {
    let wants = versions(seen, |event| Some(EVENTS.contains(&event.event()?)));
    let known: BTreeMap<Uuid, i64> =
        seen.logged().map(|event| (event.event_id, event.order_version)).collect();
    let mut repeated = HashSet::new();
    // 0 stands for an event that notification does not know.
    let version = |event: &Uuid| known.get(event).copied().unwrap_or(0);
    let called = calls.events.get(&order.id).into_iter().flatten();
    let has: Vec<i64> = called.filter(|event| repeated.insert(**event)).map(version).collect();
    let what = format!("{}: calls about versions {has:?} instead of {wants:?}", order.id);
    (has != wants).then_some(Finding { check: Check::Calls, what })
}

/// The versions of the order after the events that fulfil the condition, in sequence.
fn versions(seen: &Seen, condition: impl Fn(&Notification) -> Option<bool>) -> Vec<i64> {
    let chosen = seen.logged().filter(|event| condition(event) == Some(true));
    let mut versions: Vec<i64> = chosen.map(|event| event.order_version).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}
