//! An alarm while a group that reads the topic is away for too long: records are deleted that it has
//! not read, and nobody else would say so before it is back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adapter_kafka::Cluster;
use adapter_kafka::topic::Readers;
use metrics::{describe_gauge, gauge};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{debug, warn};

/// Looks now and after each period, for ever.
pub(crate) async fn watch_readers(cluster: &Cluster, period: Duration) {
    describe_gauge!(
        "topic_group_records_lost",
        "Records that were deleted from the topic and that the group has not read"
    );
    let mut readers = Readers::new(cluster);
    let mut alarmed = BTreeSet::new();
    loop {
        let (answer, answered) = oneshot::channel();
        // A thread of its own: asking blocks, and a runtime that shuts down waits for its own.
        std::thread::spawn(move || {
            let lost = readers.lost();
            let _ = answer.send((lost, readers));
        });
        readers = match answered.await {
            Ok((Ok(lost), readers)) => {
                tell(&lost, &mut alarmed);
                readers
            }
            // A cluster that cannot be reached is told by whoever publishes.
            Ok((Err(error), readers)) => {
                debug!("the groups that read the topic are not known: {error}");
                readers
            }
            Err(_) => Readers::new(cluster),
        };
        sleep(period).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a double by its format")]
fn tell(lost: &BTreeMap<String, i64>, alarmed: &mut BTreeSet<String>) {
    for (group, &records) in lost {
        gauge!("topic_group_records_lost", "group" => group.clone()).set(records as f64);
        if records == 0 {
            alarmed.remove(group);
        } else if alarmed.insert(group.clone()) {
            warn!(
                group,
                records,
                "records were deleted from the topic that this group has not read; start it, then \
                 publish them again: `order-jobs reconcile --repair`, or `order-jobs replay --since \
                 TIME`"
            );
        }
    }
}
