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

/// How often all groups of the cluster are looked through for those that read the topic, once there
/// is one.
const SEARCH_EVERY: Duration = Duration::from_mins(10);

/// How many groups are looked through at the most.
const MOST_GROUPS: usize = 500;

/// The groups that read the topic, whether they have a member now or not.
pub struct Readers {
    cluster: Cluster,
    groups: Vec<String>,
    searched: Option<Instant>,
}

impl Readers {
    /// Of this cluster's topic. Nothing was connected to yet.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), groups: Vec::new(), searched: None }
    }

    /// For each group that reads the topic, how many records were deleted that it has not read.
    /// Blocks the thread.
    ///
    /// # Errors
    /// When no broker answers, or they do not let us see their groups.
    pub fn lost(&mut self) -> Result<BTreeMap<String, i64>, KafkaError> {
        // librdkafka wants a group's name even of a consumer that joins none.
        let consumer = self.consumer("orders-watch")?;
        let starts = starts(&consumer, &self.cluster.topic)?;
        let is_old = self.searched.is_none_or(|last| last.elapsed() >= SEARCH_EVERY);
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

    /// A client that can ask for a group's offsets, and is no member of it.
    fn consumer(&self, group: &str) -> Result<BaseConsumer<Logging>, KafkaError> {
        let settings: ClientConfig = consumer_settings(&self.cluster, group);
        settings.create_with_context(Logging::default())
    }
}

fn groups(consumer: &BaseConsumer<Logging>) -> Result<Vec<String>, KafkaError> {
    let list = consumer.fetch_group_list(None, TIMEOUT)?;
    let names = list.groups().iter().map(|group| group.name().to_owned());
    Ok(names.take(MOST_GROUPS).collect())
}

/// Where each partition begins.
fn starts(consumer: &BaseConsumer<Logging>, topic: &str) -> Result<TopicPartitionList, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut starts = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let (start, _) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
        starts.add_partition_offset(topic, partition.id(), Offset::Offset(start))?;
    }
    Ok(starts)
}

/// How many records lie between what a group has committed and the start of the log; nothing if it
/// has committed nothing and so does not read the topic.
fn unread(starts: &TopicPartitionList, committed: &TopicPartitionList) -> Option<i64> {
    let both = starts.elements().into_iter().filter_map(|start| {
        let place = committed.find_partition(start.topic(), start.partition())?;
        match (start.offset(), place.offset()) {
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
    fn what_lies_before_the_log_and_behind_the_group_is_lost() {
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
