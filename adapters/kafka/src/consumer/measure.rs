//! Metrics of a consumer.

use application::inbox::{Batch, BatchOutcome};
use runtime::clock;

/// Registers the descriptions of the metrics.
pub(super) fn describe() {
    for (name, meaning) in [
        ("consumer_records_total", "Records processed"),
        ("consumer_events_applied_total", "Events applied"),
        ("consumer_events_repeated_total", "Events skipped because they had been applied before"),
        ("consumer_events_missing_total", "Order versions missing before a received version"),
        ("consumer_dead_letters_total", "Records stored as dead letters"),
        (
            "consumer_records_lost_total",
            "Records deleted from the topic before the group read them",
        ),
        ("consumer_log_resets_total", "Partitions that were truncated or created again"),
        ("consumer_events_unknown_total", "Records of an unknown type, which were skipped"),
    ] {
        metrics::describe_counter!(name, meaning);
    }
    metrics::describe_histogram!(
        "consumer_event_age_seconds",
        "Time between an event and its application in the read model"
    );
    metrics::describe_gauge!(
        "consumer_registry_suspect",
        "1 while the consumer waits because the schema registry has no schema of this topic"
    );
    metrics::describe_gauge!(
        "consumer_lag_records",
        "Lag: records after the committed offsets of the partitions of this member"
    );
}

/// Counts an applied batch and records the age of its events.
pub(super) fn record_batch<P>(group: &str, batch: &Batch<P>, intake: BatchOutcome) {
    let counts = [
        ("consumer_records_total", batch.len()),
        ("consumer_events_applied_total", intake.applied),
        ("consumer_events_repeated_total", intake.repeated),
        ("consumer_events_missing_total", intake.missing),
        ("consumer_dead_letters_total", intake.dead),
        ("consumer_events_unknown_total", intake.unknown),
    ];
    for (name, count) in counts {
        metrics::counter!(name, "group" => group.to_owned()).increment(count);
    }
    // The age of a repeated event depends on when it was replayed, not on the latency.
    if intake.repeated > 0 {
        return;
    }
    let now = clock::now().as_micros();
    let age = metrics::histogram!("consumer_event_age_seconds", "group" => group.to_owned());
    for event in batch.events() {
        let micros = now.saturating_sub(event.occurred_at.as_micros()).max(0);
        age.record(std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64());
    }
}

/// Sets the number of records that the group has not processed in this member's partitions.
pub(super) fn lag(group: &str, records: i64) {
    // The gauge is a float. It is exact up to 2^53 records.
    #[allow(clippy::cast_precision_loss)]
    metrics::gauge!("consumer_lag_records", "group" => group.to_owned()).set(records as f64);
}

#[cfg(test)]
mod tests {
    use application::published::{Content, Incoming, RawRecord};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn each_outcome_of_a_batch_is_counted() {
        let record = RawRecord {
            topic: "topic".to_owned(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        let content = Content::UnknownType("orders.OrderShipped".to_owned());
        let batch: Batch = Batch::from_iter([Incoming { record, content }]);
        let outcome = BatchOutcome { applied: 2, repeated: 3, missing: 4, dead: 5, unknown: 6 };
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || record_batch("g", &batch, outcome));
        let metrics = recorder.handle().render();
        for line in [
            "consumer_records_total{group=\"g\"} 1",
            "consumer_events_applied_total{group=\"g\"} 2",
            "consumer_events_repeated_total{group=\"g\"} 3",
            "consumer_events_missing_total{group=\"g\"} 4",
            "consumer_dead_letters_total{group=\"g\"} 5",
            "consumer_events_unknown_total{group=\"g\"} 6",
        ] {
            assert!(metrics.lines().any(|found| found == line), "no {line} in {metrics}");
        }
    }
}
