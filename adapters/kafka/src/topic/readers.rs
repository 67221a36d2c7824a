use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::TIMEOUT;
use crate::client::Logging;
use crate::cluster::Cluster;
use crate::settings::consumer_settings;

/// How often all groups of the cluster are searched for those that read the topic, if at least one
/// is known.
const SEARCH_INTERVAL: Duration = Duration::from_mins(10);

/// Maximum number of groups that are searched.
const MAX_GROUPS: usize = 500;

/// The groups that read the topic, also those without members at the moment.
pub struct Readers {
    cluster: Cluster,
    groups: Vec<String>,
    searched: Option<Instant>,
}

impl Readers {
    /// The readers of this cluster's topic. It does not connect yet.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), groups: Vec::new(), searched: None }
    }

    /// The number of records that were deleted before a group read them, for each group that reads
    /// the topic. Blocks the thread.
    ///
    /// # Errors
    /// When no broker answers, or they refuse to list their groups.
    pub fn lost(&mut self) -> Result<BTreeMap<String, i64>, KafkaError> {
        // librdkafka requires a group name, even for a consumer that joins no group.
        let consumer = self.consumer("orders-watch")?;
        let starts = starts(&consumer, &self.cluster.topic)?;
        let is_old = self.searched.is_none_or(|last| last.elapsed() >= SEARCH_INTERVAL);
        let is_search_due = is_old || self.groups.is_empty();
        let groups = if is_search_due { groups(&consumer)? } else { self.groups.clone() };
        let mut lost = BTreeMap::new();
        for group in groups {
            let committed = self.consumer(&group)?.committed_offsets(starts.clone(), TIMEOUT)?;
            if let Some(records) = unread(&starts, &committed) {
                lost.insert(group, records);
            }
        }
        if is_search_due {
            self.groups = lost.keys().cloned().collect();
            self.searched = Some(Instant::now());
        }
        Ok(lost)
    }

    /// A client that reads a group's offsets without joining it.
    fn consumer(&self, group: &str) -> Result<BaseConsumer<Logging>, KafkaError> {
        let settings: ClientConfig = consumer_settings(&self.cluster, group);
        settings.create_with_context(Logging::default())
    }
}

fn groups(consumer: &BaseConsumer<Logging>) -> Result<Vec<String>, KafkaError> {
    let list = consumer.fetch_group_list(None, TIMEOUT)?;
    let names = list.groups().iter().map(|group| group.name().to_owned());
    Ok(names.take(MAX_GROUPS).collect())
}

/// The first offset of each partition.
fn starts(consumer: &BaseConsumer<Logging>, topic: &str) -> Result<TopicPartitionList, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut starts = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let (start, _) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
        starts.add_partition_offset(topic, partition.id(), Offset::Offset(start))?;
    }
    Ok(starts)
}

/// The number of records between the committed offsets of a group and the start of the log. `None`
/// if the group has committed nothing, so that it does not read the topic.
fn unread(starts: &TopicPartitionList, committed: &TopicPartitionList) -> Option<i64> {
    let both = starts.elements().into_iter().filter_map(|start| {
        let committed = committed.find_partition(start.topic(), start.partition())?;
        match (start.offset(), committed.offset()) {
            (Offset::Offset(start), Offset::Offset(done)) => Some((start - done).max(0)),
            _ => None,
        }
    });
    both.reduce(|sum, records| sum + records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(offsets: [Option<i64>; 2]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in (0..).zip(offsets) {
            let offset = offset.map_or(Offset::Invalid, Offset::Offset);
            list.add_partition_offset("topic", partition, offset).unwrap();
        }
        list
    }

    #[test]
    fn records_between_the_committed_offset_and_the_start_of_the_log_are_lost() {
        for (committed, lost) in [
            ([None, None], None),
            ([Some(5), None], Some(0)),
            ([Some(9), Some(7)], Some(0)),
            ([Some(2), Some(7)], Some(3)),
            ([Some(2), Some(3)], Some(7)),
        ] {
            assert_eq!(unread(&list([Some(5), Some(7)]), &list(committed)), lost, "{committed:?}");
        }
    }
}
