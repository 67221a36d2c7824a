//! Reports records that Kafka has deleted or replaced before the group read them.

use metrics::counter;
use tracing::warn;

use super::health::ConsumerHealth;
use super::membership::TopicPartition;
use super::partition_progress::LogProblem;

/// Logs a problem, counts it, and shows it as a warning in `/readyz` for a while. `republish` names the
/// commands that publish the events of the topic again.
pub(super) fn report(
    group: &str,
    health: &ConsumerHealth,
    republish: &str,
    topic_partition: &TopicPartition,
    problem: LogProblem,
) {
    let (topic, partition) = topic_partition;
    // The outbox may have the events that are missing in the topic.
    let remedy = format!("publish the events in the outbox again with {republish}");
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
                 {to} without their events; {remedy}"
            );
            counter!("consumer_records_lost_total", "group" => group.to_owned())
                .increment(records.unsigned_abs());
            health.set_warning(format!(
                "{records} records were deleted from {topic} partition {partition} before they were \
                 read; {remedy}"
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
                 or created again, and records may be lost; reading all its records; {remedy}"
            );
            count_reset(group);
            health.set_warning(format!(
                "{topic} partition {partition} was truncated or created again: it was read up to \
                 offset {from} and now ends at {to}; {remedy}"
            ));
        }
        LogProblem::Replaced { read } => {
            warn!(
                group,
                topic,
                partition,
                read,
                "the record before offset {read} is not the one that was read: the topic was deleted \
                 and created again, and records may be lost; reading it from the start; {remedy}"
            );
            count_reset(group);
            health
                .set_warning(format!("{topic} partition {partition} was created again; {remedy}"));
        }
    }
}

fn count_reset(group: &str) {
    counter!("consumer_log_resets_total", "group" => group.to_owned()).increment(1);
}
