//! Reports records that Kafka has deleted or replaced before the group read them.

use metrics::counter;
use tracing::warn;

use super::health::ConsumerHealth;
use super::membership::TopicPartition;
use super::partition_progress::LogProblem;

/// What an operator can do about events that are missing in the topic. The outbox may have them.
const REMEDY: &str = "publish the events in the outbox again with `order-jobs reconcile --repair` or \
                       `order-jobs replay --since TIME`";

/// Logs a problem, counts it, and shows it as a warning in `/readyz` for a while.
pub(super) fn report(
    group: &str,
    health: &ConsumerHealth,
    topic_partition: &TopicPartition,
    problem: LogProblem,
) {
    let (topic, partition) = topic_partition;
    match problem {
        LogProblem::Lost { from, to } => {
            let records = to - from;
            warn!(
                group,
                topic,
                partition,
                from,
                to,
                records,
                "records were deleted from the topic before this group read them; continuing at \
                 {to} without their events; {REMEDY}"
            );
            counter!("consumer_records_lost_total", "group" => group.to_owned())
                .increment(records.unsigned_abs());
            health.set_warning(format!(
                "{records} records were deleted from {topic} partition {partition} before they were \
                 read; {REMEDY}"
            ));
        }
        LogProblem::Shortened { from, to } => {
            warn!(
                group,
                topic,
                partition,
                from,
                to,
                "the partition was read up to offset {from} and now ends at {to}: it was truncated \
                 or created again, and records may be lost; reading all its records; {REMEDY}"
            );
            count_reset(group);
            health.set_warning(format!(
                "{topic} partition {partition} was truncated or created again: it was read up to \
                 offset {from} and now ends at {to}; {REMEDY}"
            ));
        }
        LogProblem::Replaced { read } => {
            warn!(
                group,
                topic,
                partition,
                read,
                "the record before offset {read} is not the one that was read: the topic was deleted \
                 and created again, and records may be lost; reading it from the start; {REMEDY}"
            );
            count_reset(group);
            health
                .set_warning(format!("{topic} partition {partition} was created again; {REMEDY}"));
        }
    }
}

fn count_reset(group: &str) {
    counter!("consumer_log_resets_total", "group" => group.to_owned()).increment(1);
}
