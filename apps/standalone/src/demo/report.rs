#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use super::customer::PlacedOrder;
use super::latencies::Latencies;
use super::load::Placed;
use super::reader::Seen;
use super::topic::TopicEvent;

/// Number of findings to print.
const SHOWN: usize = 10;

/// What the demo found.
#[derive(Debug)]
pub(super) struct Report {
    orders: usize,
    events: usize,
    repeats: usize,
    findings: Vec<String>,
    posts: Latencies,
    to_kafka: Latencies,
    to_pharmacy: Latencies,
    to_notification: Latencies,
}

impl Report {
    pub(super) fn new(
        placed: &Placed,
        seen: &HashMap<Uuid, Seen>,
        published: &HashMap<Uuid, Vec<TopicEvent>>,
    ) -> Self {
        let mut findings: Vec<String> =
            placed.errors.iter().map(|why| format!("not placed: {why}")).collect();
        let (mut pharmacy, mut notification, mut kafka) = (Vec::new(), Vec::new(), Vec::new());
        let mut repeats = 0;
        let nothing = Seen::default();
        for order in &placed.orders {
            let seen = seen.get(&order.id).unwrap_or(&nothing);
            let published = published.get(&order.id).map_or(&[][..], Vec::as_slice);
            findings.extend(check_read_models(order, seen));
            repeats += published.len().saturating_sub(order.events());
            findings.extend(check_topic(order, published));
            let after = |micros: i64| since(order, micros);
            pharmacy.extend(seen.pharmacy.iter().map(|p| after(p.received_at.timestamp_micros())));
            let first = seen.notifications.iter().map(|n| n.recorded_at.timestamp_micros()).min();
            notification.extend(first.map(after));
            kafka.extend(published.first().map(|event| after(event.arrived_at_micros)));
        }
        Self {
            orders: placed.orders.len(),
            events: placed.orders.iter().map(PlacedOrder::events).sum(),
            repeats,
            findings,
            posts: placed.orders.iter().map(|order| order.post).collect(),
            to_kafka: kafka.into_iter().collect(),
            to_pharmacy: pharmacy.into_iter().collect(),
            to_notification: notification.into_iter().collect(),
        }
    }

    /// Whether no event is missing, repeated in a read model, or out of order.
    pub(super) const fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

fn since(order: &PlacedOrder, micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros - order.created_at_micros).unwrap_or(0))
}

fn check_read_models(order: &PlacedOrder, seen: &Seen) -> Vec<String> {
    let id = order.id;
    let mut findings = Vec::new();
    match &seen.pharmacy {
        None => findings.push(format!("{id}: missing in the pharmacy")),
        Some(pharmacy) => {
            let status = if order.cancelled { "cancelled" } else { "draft" };
            let version = i64::try_from(order.events()).unwrap_or(i64::MAX);
            if (pharmacy.status.as_str(), pharmacy.version) != (status, version) {
                findings.push(format!(
                    "{id}: the pharmacy has it {} at version {}, not {status} at {version}",
                    pharmacy.status, pharmacy.version
                ));
            }
            if pharmacy.missing > 0 {
                findings.push(format!("{id}: the pharmacy misses {} events", pharmacy.missing));
            }
        }
    }
    let (has, wants) = (seen.notifications.len(), order.events());
    match has.cmp(&wants) {
        std::cmp::Ordering::Less => {
            findings.push(format!("{id}: {has} of {wants} notifications"));
        }
        std::cmp::Ordering::Greater => {
            findings.push(format!("{id}: {has} notifications instead of {wants}"));
        }
        std::cmp::Ordering::Equal => {
            let events: HashSet<Uuid> = seen.notifications.iter().map(|n| n.event_id).collect();
            if events.len() < wants {
                findings.push(format!("{id}: notified of {} of {wants} events", events.len()));
            }
        }
    }
    findings
}

/// Checks that the order's versions are in the topic in sequence and without a gap. Repeats are
/// allowed, because delivery is at least once.
fn check_topic(order: &PlacedOrder, published: &[TopicEvent]) -> Option<String> {
    let mut latest = 0;
    for &TopicEvent { version, .. } in published {
        if version > latest + 1 {
            return Some(format!("{}: version {version} was published after {latest}", order.id));
        }
        latest = latest.max(version);
    }
    let wants = i64::try_from(order.events()).unwrap_or(i64::MAX);
    (latest < wants).then(|| format!("{}: {latest} of {wants} events in the topic", order.id))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, events, repeats, .. } = self;
        writeln!(f, "{orders} orders, {events} events, {repeats} published more than once")?;
        writeln!(f, "  POST                     {}", self.posts)?;
        writeln!(f, "  commit → Kafka           {}", self.to_kafka)?;
        writeln!(f, "  commit → pharmacy        {}", self.to_pharmacy)?;
        writeln!(f, "  commit → notification    {}", self.to_notification)?;
        writeln!(f, "  (measured from createdAt of the order, shortly before its commit)")?;
        for finding in self.findings.iter().take(SHOWN) {
            writeln!(f, "  WRONG  {finding}")?;
        }
        match self.findings.len() {
            0 => write!(f, "Each order is in both read models exactly once, and in order."),
            1..=SHOWN => write!(f, "Something is wrong; see above."),
            many => write!(f, "Something is wrong, {many} times; the first {SHOWN} are above."),
        }
    }
}
