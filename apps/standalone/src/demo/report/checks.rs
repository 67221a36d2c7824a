use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::demo::customer::{CancelAnswer, PlacedOrder};
use crate::demo::reader::{Change, Seen};
use crate::demo::topic::TopicEvent;

/// What the demo checks of each order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Requests,
    Final,
    Agreement,
    CancelledOrDispensed,
    OrderTopic,
    PharmacyTopic,
    ReadModel,
    Notifications,
    Letters,
    Calls,
}

impl Check {
    pub(super) const ALL: [Self; 10] = [
        Self::Requests,
        Self::Final,
        Self::Agreement,
        Self::CancelledOrDispensed,
        Self::OrderTopic,
        Self::PharmacyTopic,
        Self::ReadModel,
        Self::Notifications,
        Self::Letters,
        Self::Calls,
    ];

    /// What is true if nothing was found.
    pub(super) const fn promise(self) -> &'static str {
        match self {
            Self::Requests => "each request of a customer was answered",
            Self::Final => "each order is completed, rejected or cancelled",
            Self::Agreement => "ordering and the pharmacy agree on each order",
            Self::CancelledOrDispensed => "no order was cancelled and dispensed",
            Self::OrderTopic => "each event of ordering is in its topic once and in order",
            Self::PharmacyTopic => "each event of the pharmacy is in its topic once and in order",
            Self::ReadModel => "the pharmacy has each event of ordering",
            Self::Notifications => "each event of ordering was notified once",
            Self::Letters => "each customer has each wanted letter once and in order",
            Self::Calls => "the webhook has each of its events, signed and in order",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) what: String,
}

/// What is wrong with an order.
pub(super) fn check(
    order: &PlacedOrder,
    seen: &Seen,
    ordering: &[TopicEvent],
    pharmacy: &[TopicEvent],
) -> Vec<Finding> {
    let found = [
        (Check::Final, check_final(seen)),
        (Check::Agreement, check_agreement(order, seen)),
        (Check::CancelledOrDispensed, check_cancelled_or_dispensed(order, seen)),
        (Check::OrderTopic, check_topic(seen.events(), ordering)),
        (Check::PharmacyTopic, check_topic(seen.pharmacy_events(), pharmacy)),
        (Check::ReadModel, check_read_model(seen)),
        (Check::Notifications, check_notifications(seen)),
    ];
    let finding = |(check, what): (Check, Option<String>)| {
        Some(Finding { check, what: format!("{}: {}", order.id, what?) })
    };
    found.into_iter().filter_map(finding).collect()
}

fn check_final(seen: &Seen) -> Option<String> {
    match &seen.order {
        None => Some("missing in ordering".to_owned()),
        Some(order) if order.is_final() => None,
        Some(order) => Some(format!("still {}", order.status)),
    }
}

fn check_agreement(order: &PlacedOrder, seen: &Seen) -> Option<String> {
    let ours = seen.order.as_ref().map_or("missing", |order| order.status.as_str());
    let theirs = seen.pharmacy.as_ref().map_or("missing", |pharmacy| pharmacy.status.as_str());
    if order.cancellation == Some(CancelAnswer::Cancelled) && ours != "cancelled" {
        return Some(format!("the customer was told that it is cancelled, and it is {ours}"));
    }
    let agree = in_ordering(theirs).is_some_and(|status| status == ours);
    (!agree).then(|| format!("{ours} in ordering, {theirs} in the pharmacy"))
}

/// The status that an order has in ordering when it has this final status in the pharmacy.
fn in_ordering(pharmacy: &str) -> Option<&'static str> {
    match pharmacy {
        "dispensed" => Some("completed"),
        "rejected" => Some("rejected"),
        "cancelled" => Some("cancelled"),
        _ => None,
    }
}

fn check_cancelled_or_dispensed(order: &PlacedOrder, seen: &Seen) -> Option<String> {
    let ours = seen.order.iter().flat_map(|order| &order.history);
    let theirs = seen.pharmacy.iter().flat_map(|pharmacy| &pharmacy.history);
    let reached: HashSet<&str> =
        ours.chain(theirs).map(|Change { status, .. }| status.as_str()).collect();
    let cancelled =
        reached.contains("cancelled") || order.cancellation == Some(CancelAnswer::Cancelled);
    let dispensed = reached.contains("dispensed") || reached.contains("completed");
    (cancelled && dispensed).then(|| "cancelled and dispensed".to_owned())
}

/// Checks that the versions are in the topic in sequence and without a gap. An event may be repeated,
/// because delivery is at least once. Two events may not have the same version.
fn check_topic(wants: usize, published: &[TopicEvent]) -> Option<String> {
    let mut ids: HashMap<i64, Uuid> = HashMap::new();
    let mut latest = 0;
    for &TopicEvent { event_id, version, .. } in published {
        if version > latest + 1 {
            return Some(format!("version {version} was published after {latest}"));
        }
        latest = latest.max(version);
        if *ids.entry(version).or_insert(event_id) != event_id {
            return Some(format!("two events have version {version}"));
        }
    }
    let distinct: HashSet<&Uuid> = ids.values().collect();
    if distinct.len() < ids.len() {
        return Some("an event was published with two versions".to_owned());
    }
    let has = ids.len();
    (has != wants).then(|| format!("{has} of {wants} events"))
}

fn check_read_model(seen: &Seen) -> Option<String> {
    let Some(pharmacy) = &seen.pharmacy else {
        return Some("missing in the pharmacy".to_owned());
    };
    let wants = seen.events();
    if usize::try_from(pharmacy.version) != Ok(wants) {
        return Some(format!("at version {} in the pharmacy, not {wants}", pharmacy.version));
    }
    (pharmacy.missing > 0).then(|| format!("the pharmacy misses {} events", pharmacy.missing))
}

fn check_notifications(seen: &Seen) -> Option<String> {
    let (has, wants) = (seen.logged().count(), seen.events());
    match has.cmp(&wants) {
        Ordering::Less => Some(format!("{has} of {wants} notifications")),
        Ordering::Greater => Some(format!("{has} notifications instead of {wants}")),
        Ordering::Equal => {
            let events: HashSet<Uuid> = seen.logged().map(|n| n.event_id).collect();
            (events.len() < wants)
                .then(|| format!("notified of {} of {wants} events", events.len()))
        }
    }
}
