//! Warns if records are deleted from the topic before a consumer group has read them.
//!
//! This happens if the group is down for longer than the topic retains records. Without this check,
//! nobody would notice until the group runs again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adapter_kafka::Cluster;
use adapter_kafka::topic::Readers;
use adapter_outbox::ContextOutbox;
use metrics::{describe_gauge, gauge};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{debug, warn};

/// Checks the groups now and after each period, forever.
pub(crate) async fn watch_readers(
    cluster: &Cluster,
    outbox: &ContextOutbox,
    schema: &'static str,
    period: Duration,
) {
    let remedy = remedy(outbox);
    describe_gauge!(
        "topic_group_records_lost",
        "Records that were deleted from the topic before the group read them"
    );
    let mut readers = Readers::new(cluster);
    let mut reported = BTreeSet::new();
    loop {
        let (answer, answered) = oneshot::channel();
        // The check blocks. It has its own thread, because a runtime that shuts down would wait for one
        // of its own threads.
        std::thread::spawn(move || {
            let lost = readers.lost();
            let _ = answer.send((lost, readers));
        });
        readers = match answered.await {
            Ok((Ok(lost), readers)) => {
                report(&lost, schema, &remedy, &mut reported);
                readers
            }
            // The workers report that the cluster cannot be reached.
            Ok((Err(error), readers)) => {
                debug!("cannot check the groups that read the topic: {error}");
                readers
            }
            Err(_) => Readers::new(cluster),
        };
        sleep(period).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a double by its format")]
fn report(
    lost: &BTreeMap<String, i64>,
    schema: &'static str,
    remedy: &str,
    reported: &mut BTreeSet<String>,
) {
    for (group, &records) in lost {
        gauge!("topic_group_records_lost", "group" => group.clone(), "schema" => schema)
            .set(records as f64);
        if records == 0 {
            reported.remove(group);
        } else if reported.insert(group.clone()) {
            warn!(
                group,
                records,
                "records were deleted from the topic before this group read them; start the consumer, \
                 then publish the events again with {remedy}"
            );
        }
    }
}

/// The commands that publish events again.
fn remedy(outbox: &ContextOutbox) -> String {
    let replay = format!("`{} replay --since TIME`", outbox.command);
    match outbox.reconcile {
        Some(reconcile) => format!("`{reconcile} --repair` or {replay}"),
        None => replay,
    }
}
