//! Tells operators that Kafka has lost what the group was to read.

use metrics::counter;
use tracing::warn;

use super::health::ConsumerHealth;
use super::membership::Place;
use super::reading::Finding;

/// What to do about events that are gone from the topic. The outbox may still have them.
const WAY_OUT: &str = "publish again what the outbox retains: `order-jobs reconcile --repair`, or \
                       `order-jobs replay --since TIME`";

/// Logs it, counts it, and lets `/readyz` show it for a while.
pub(super) fn tell(group: &str, health: &ConsumerHealth, place: &Place, finding: Finding) {
    let (topic, partition) = place;
    match finding {
        Finding::Lost { from, to } => {
            let records = to - from;
            warn!(
                group,
                topic,
                partition,
                from,
                to,
                records,
                "records were deleted from the topic before this group read them; their events are \
                 missing here, going on at {to}; {WAY_OUT}"
            );
            counter!("consumer_records_lost_total", "group" => group.to_owned())
                .increment(records.unsigned_abs());
            health.warns(format!(
                "{records} records were deleted from {topic} partition {partition} unread; {WAY_OUT}"
            ));
        }
        Finding::Shortened { from, to } => {
            warn!(
                group,
                topic,
                partition,
                from,
                to,
                "the partition was read up to {from} and now goes on at {to}: it was truncated or \
                 created anew, records may be lost; reading everything that is there; {WAY_OUT}"
            );
            reset(group);
            health.warns(format!(
                "{topic} partition {partition} went back from {from} to {to}; {WAY_OUT}"
            ));
        }
        Finding::Replaced { read } => {
            warn!(
                group,
                topic,
                partition,
                read,
                "the record before {read} is another than the one that was read: the topic was \
                 created anew, records may be lost; reading it from its start; {WAY_OUT}"
            );
            reset(group);
            health.warns(format!("{topic} partition {partition} was created anew; {WAY_OUT}"));
        }
    }
}

fn reset(group: &str) {
    counter!("consumer_log_resets_total", "group" => group.to_owned()).increment(1);
}
