//! What operators see of a consumer.

use application::inbox::{Batch, BatchOutcome};

use runtime::clock;

/// Says what the figures mean.
pub(super) fn describe() {
    for (name, meaning) in [
        ("consumer_records_total", "Records taken in"),
        ("consumer_events_applied_total", "Events that took effect"),
        ("consumer_events_repeated_total", "Events that had taken effect before"),
        ("consumer_events_missing_total", "Versions of orders that were jumped over"),
        ("consumer_dead_letters_total", "Records put aside as dead letters"),
        (
            "consumer_records_lost_total",
            "Records that were deleted from the topic before the group read them",
        ),
        ("consumer_log_resets_total", "Partitions found truncated or created anew"),
        ("consumer_events_unknown_total", "Records of a type not known here, which were skipped"),
    ] {
        metrics::describe_counter!(name, meaning);
    }
    metrics::describe_histogram!(
        "consumer_event_age_seconds",
        "From when an event happened to when it took effect"
    );
    metrics::describe_gauge!(
        "consumer_registry_suspect",
        "Whether it waits since the schema registry knows none of the events published here"
    );
    metrics::describe_gauge!(
        "consumer_lag_records",
        "Records the group has not committed yet, of this member's partitions"
    );
}

/// Counts a batch that took effect, and how old its events were by then.
pub(super) fn took_in(group: &str, batch: &Batch, intake: BatchOutcome) {
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
    // The age of a repeat says when somebody replayed, not how fast events travel.
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

/// Tells how many records the group has not done yet, of the partitions this member has.
pub(super) fn lag(group: &str, records: i64) {
    // Beyond 2^53 records nobody minds the last digit.
    #[allow(clippy::cast_precision_loss)]
    metrics::gauge!("consumer_lag_records", "group" => group.to_owned()).set(records as f64);
}
