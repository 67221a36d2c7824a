mod checks;
mod outgoing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use uuid::Uuid;

use self::checks::{Check, Finding, check};
use super::customer::{CancelAnswer, PlacedOrder};
use super::latencies::Latencies;
use super::letters::Letters;
use super::load::Placed;
use super::pharmacist::Work;
use super::reader::Seen;
use super::topic::{EventsByOrder, TopicEvent};
use super::webhook::Calls;

/// Number of findings to print.
const SHOWN: usize = 10;

/// The statuses that a customer sees after these statuses of the pharmacy.
const FOLLOWED: [(&str, &str); 5] = [
    ("confirmed", "confirmed"),
    ("ready", "ready"),
    ("dispensed", "completed"),
    ("rejected", "rejected"),
    ("cancelled", "cancelled"),
];

/// What the demo has observed.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    pub(super) placed: &'a Placed,
    pub(super) seen: &'a HashMap<Uuid, Seen>,
    /// The events in the topic of ordering.
    pub(super) ordering: &'a EventsByOrder,
    /// The events in the topic of the pharmacy.
    pub(super) pharmacy: &'a EventsByOrder,
    /// The letters, or why they are not checked.
    pub(super) letters: &'a Result<Letters, String>,
    /// The calls of the webhook, or why they are not checked.
    pub(super) calls: &'a Result<Calls, String>,
    pub(super) work: &'a Work,
}

/// What the demo found.
#[derive(Debug)]
pub(super) struct Report {
    orders: usize,
    events: usize,
    pharmacy_events: usize,
    repeats: usize,
    /// The number of orders in each status.
    statuses: BTreeMap<String, usize>,
    /// The number of requests to cancel that got each answer: 200, 202, 409.
    answers: [usize; 3],
    /// The number of orders with such a request that are cancelled.
    granted: usize,
    actions: u64,
    refused: u64,
    letters: usize,
    calls: usize,
    /// What was not checked, and why.
    unchecked: Vec<(Check, String)>,
    findings: Vec<Finding>,
    posts: Latencies,
    to_kafka: Latencies,
    to_pharmacy: Latencies,
    to_notification: Latencies,
    to_status: Latencies,
}

impl Report {
    pub(super) fn new(observed: &Observed<'_>) -> Self {
        let Observed { placed, seen, ordering, pharmacy, letters, calls, work } = observed;
        let wrong = |what: &String| Finding { check: Check::Requests, what: what.clone() };
        let mut findings: Vec<Finding> = placed.errors.iter().map(wrong).collect();
        let (mut to_pharmacy, mut to_notification) = (Vec::new(), Vec::new());
        let (mut to_kafka, mut to_status) = (Vec::new(), Vec::new());
        let (mut statuses, mut granted) = (BTreeMap::new(), 0);
        let (mut events, mut pharmacy_events, mut repeats) = (0, 0, 0);
        let (mut letter_count, mut call_count) = (0, 0);
        let nothing = Seen::default();
        for order in &placed.orders {
            let seen = seen.get(&order.id).unwrap_or(&nothing);
            let [published, answered] = [ordering, pharmacy].map(|topic| events_of(topic, order));
            findings.extend(check(order, seen, published, answered));
            if let Ok(letters) = letters {
                findings.extend(outgoing::check_letters(order, seen, letters));
                letter_count += outgoing::letters_about(seen, letters).len();
            }
            if let Ok(calls) = calls {
                findings.extend(outgoing::check_calls(order, seen, calls));
                call_count += calls.events.get(&order.id).map_or(0, Vec::len);
            }
            events += seen.events();
            pharmacy_events += seen.pharmacy_events();
            repeats += published.len().saturating_sub(seen.events())
                + answered.len().saturating_sub(seen.pharmacy_events());
            let status = seen.order.as_ref().map_or("missing", |order| order.status.as_str());
            granted += usize::from(order.cancellation.is_some() && status == "cancelled");
            *statuses.entry(status.to_owned()).or_default() += 1;
            let after = |micros: i64| between(order.created_at_micros, micros);
            let received = seen.pharmacy.iter().map(|p| p.received_at.timestamp_micros());
            to_pharmacy.extend(received.map(after));
            let first = seen.notifications.iter().map(|n| n.recorded_at.timestamp_micros()).min();
            to_notification.extend(first.map(after));
            to_kafka.extend(published.first().map(|event| after(event.arrived_at_micros)));
            to_status.extend(follow_times(seen));
        }
        if let Ok(Calls { errors, .. }) = calls {
            let wrong = |what: &String| Finding { check: Check::Calls, what: what.clone() };
            findings.extend(errors.iter().map(wrong));
        }
        let unchecked = [
            (Check::Letters, letters.as_ref().err().cloned()),
            (Check::Calls, calls.as_ref().err().cloned()),
        ];
        let unchecked = unchecked.into_iter().filter_map(|(check, why)| Some((check, why?)));
        let answers = [CancelAnswer::Cancelled, CancelAnswer::Asked, CancelAnswer::TooLate];
        let count = |answer| {
            placed.orders.iter().filter(|order| order.cancellation == Some(answer)).count()
        };
        Self {
            orders: placed.orders.len(),
            events,
            pharmacy_events,
            repeats,
            statuses,
            answers: answers.map(count),
            granted,
            actions: work.actions.load(Ordering::Relaxed),
            refused: work.refused.load(Ordering::Relaxed),
            letters: letter_count,
            calls: call_count,
            unchecked: unchecked.collect(),
            findings,
            posts: placed.orders.iter().map(|order| order.post).collect(),
            to_kafka: to_kafka.into_iter().collect(),
            to_pharmacy: to_pharmacy.into_iter().collect(),
            to_notification: to_notification.into_iter().collect(),
            to_status: to_status.into_iter().collect(),
        }
    }

    /// Whether every check has passed.
    pub(super) const fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

fn events_of<'a>(topic: &'a EventsByOrder, order: &PlacedOrder) -> &'a [TopicEvent] {
    topic.get(&order.id).map_or(&[], Vec::as_slice)
}

fn between(from_micros: i64, to_micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(to_micros - from_micros).unwrap_or(0))
}

/// The times from the statuses of the pharmacy to those of the order that follow them.
fn follow_times(seen: &Seen) -> impl Iterator<Item = Duration> {
    let ours = seen.order.as_ref().map_or(&[][..], |order| &order.history);
    let theirs = seen.pharmacy.as_ref().map_or(&[][..], |pharmacy| &pharmacy.history);
    FOLLOWED.into_iter().filter_map(move |(from, to)| {
        let from = theirs.iter().find(|change| change.status == from)?;
        let to = ours.iter().find(|change| change.status == to)?;
        Some(between(from.at.timestamp_micros(), to.at.timestamp_micros()))
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, events, pharmacy_events, repeats, .. } = self;
        writeln!(
            f,
            "{orders} orders, {events} events of ordering and {pharmacy_events} of the pharmacy, \
             {repeats} published more than once"
        )?;
        let statuses = self.statuses.iter().map(|(status, count)| format!("{count} {status}"));
        writeln!(f, "  {}", statuses.collect::<Vec<_>>().join(", "))?;
        let [cancelled, asked, too_late] = self.answers;
        let all = cancelled + asked + too_late;
        writeln!(
            f,
            "  {all} requests to cancel: {cancelled} answered with 200, {asked} with 202, {too_late} \
             with 409; {} orders cancelled",
            self.granted
        )?;
        let Self { actions, refused, letters, calls, .. } = self;
        writeln!(f, "  {actions} actions of the pharmacist, {refused} refused with 409 or 412")?;
        writeln!(f, "  {letters} letters to customers, {calls} calls of a webhook")?;
        writeln!(f, "  POST                     {}", self.posts)?;
        writeln!(f, "  commit → Kafka           {}", self.to_kafka)?;
        writeln!(f, "  commit → pharmacy        {}", self.to_pharmacy)?;
        writeln!(f, "  commit → notification    {}", self.to_notification)?;
        writeln!(f, "  (measured from createdAt of the order, shortly before its commit)")?;
        writeln!(f, "  pharmacy → order         {}", self.to_status)?;
        writeln!(f, "  (from an action in the pharmacy to the status of the order)")?;
        for check in Check::ALL {
            let wrong = self.findings.iter().filter(|finding| finding.check == check).count();
            if let Some((_, why)) = self.unchecked.iter().find(|(one, _)| *one == check) {
                writeln!(f, "  -      not checked: {} ({why})", check.promise())?;
                continue;
            }
            match wrong {
                0 => writeln!(f, "  ok     {}", check.promise())?,
                _ => writeln!(f, "  WRONG  not true: {} ({wrong} findings)", check.promise())?,
            }
        }
        for Finding { what, .. } in self.findings.iter().take(SHOWN) {
            writeln!(f, "  WRONG  {what}")?;
        }
        match self.findings.len() {
            0 => {
                write!(f, "Each order is everywhere exactly once, in order, and with one outcome.")
            }
            1..=SHOWN => write!(f, "Something is wrong; see above."),
            many => write!(f, "Something is wrong, {many} times; the first {SHOWN} are above."),
        }
    }
}
