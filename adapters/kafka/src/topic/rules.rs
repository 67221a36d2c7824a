//! What the promises rest on in a topic: one row per setting.

use std::time::Duration;

use super::inspection::{Settings, Shape};

/// Bytes of the largest record: an order's body is at most 64 KiB and its event no longer than that;
/// 4 KiB more for the key, the headers, the ids and the batch around it.
const LARGEST_RECORD: i64 = 64 * 1024 + 4 * 1024;

/// How long a consumer may be away, at least, before records it has not read are deleted.
const SHORTEST_RETENTION: Duration = Duration::from_hours(24);

/// Everything that is checked, by the name it has in metrics.
pub const SETTINGS: [&str; 8] = [
    "partitions",
    "replicas",
    "min.insync.replicas",
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    "max.message.bytes",
    "unclean.leader.election.enable",
];

/// What it must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The number of partitions it had when it was first seen.
    pub partitions: i32,
    /// How many replicas each partition is to have.
    pub replication: i32,
    /// How long the outbox keeps events, from which a replay brings back what the topic has lost.
    pub outbox_retention: Duration,
}

/// Something in the topic that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Its name, one of [`SETTINGS`].
    pub setting: &'static str,
    /// What is wrong, and what would be right.
    pub what: String,
    /// Whether nothing may be published as long as it is so: events would overtake each other.
    pub stops: bool,
}

/// Everything in the topic that is not as it must be. A setting that was not told is not judged.
#[must_use]
pub fn deviations(shape: Shape, settings: &Settings, expected: &Expected) -> Vec<Deviation> {
    let told = |name: &str| settings.get(name).map(String::as_str);
    let number = |name: &str| told(name).and_then(|value| value.parse::<i64>().ok());
    let warning = |setting, what| Deviation { setting, what, stops: false };
    let mut found = Vec::new();

    let (now, then) = (shape.partitions, expected.partitions);
    if now != then {
        found.push(Deviation {
            setting: "partitions",
            what: format!(
                "the topic has {now} partitions and had {then} when it was first seen: later events \
                 of an order would go to another partition and could overtake earlier ones; move to \
                 a new topic, as the operations guide says"
            ),
            stops: true,
        });
    }
    let (replicas, wanted) = (shape.fewest_replicas, expected.replication);
    if i32::try_from(replicas).is_ok_and(|replicas| replicas < wanted) {
        found.push(warning(
            "replicas",
            format!(
                "a partition has {replicas} replicas instead of {wanted}: events are lost with the \
                 brokers that keep them; add replicas with kafka-reassign-partitions, or set \
                 KAFKA_TOPIC_REPLICATION"
            ),
        ));
    }
    if let Some(in_sync) = number("min.insync.replicas")
        && in_sync < 2
        && wanted >= 3
    {
        found.push(warning(
            "min.insync.replicas",
            format!(
                "min.insync.replicas is {in_sync}: an event that one broker has counts as published, \
                 and is lost with it; set it to 2"
            ),
        ));
    }
    if let Some(policy) = told("cleanup.policy")
        && policy != "delete"
    {
        found.push(warning(
            "cleanup.policy",
            format!(
                "cleanup.policy is {policy}: compaction deletes all events of an order but the last; \
                 set it to delete"
            ),
        ));
    }
    if let Some(millis) = number("retention.ms") {
        found.extend(
            retention(millis, expected.outbox_retention).map(|w| warning("retention.ms", w)),
        );
    }
    if let Some(bytes) = number("retention.bytes")
        && bytes >= 0
    {
        found.push(warning(
            "retention.bytes",
            format!(
                "retention.bytes is {bytes}: events are deleted by size, however young they are and \
                 whether they were read or not; set it to -1"
            ),
        ));
    }
    if let Some(bytes) = number("max.message.bytes")
        && bytes < LARGEST_RECORD
    {
        found.push(warning(
            "max.message.bytes",
            format!(
                "max.message.bytes is {bytes}: the largest orders cannot be published; set it to \
                 {LARGEST_RECORD} at least"
            ),
        ));
    }
    if told("unclean.leader.election.enable") == Some("true") {
        found.push(warning(
            "unclean.leader.election.enable",
            "unclean.leader.election.enable is true: a broker that missed events may become the \
             leader, and what it missed is lost; set it to false"
                .to_owned(),
        ));
    }
    found
}

/// What is wrong with this retention; below 0 it is unlimited.
fn retention(millis: i64, outbox: Duration) -> Option<String> {
    let topic = Duration::from_millis(u64::try_from(millis).ok()?);
    if topic < SHORTEST_RETENTION {
        Some(format!(
            "retention.ms is {millis}: a consumer that is away for longer misses events; set it to a \
             day at least"
        ))
    } else if topic >= outbox {
        Some(format!(
            "retention.ms is {millis}, and the outbox keeps events for no longer than that ({} days): \
             a replay could not bring back what the topic lost; raise OUTBOX_RETENTION_DAYS or lower \
             retention.ms",
            outbox.as_secs() / 86_400
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn expected() -> Expected {
        Expected { partitions: 12, replication: 3, outbox_retention: Duration::from_hours(8 * 24) }
    }

    /// A topic as it must be, but for one setting.
    fn with(name: &str, value: &str) -> (Shape, Settings) {
        let week = (7 * DAY).to_string();
        let right = [
            ("min.insync.replicas", "2"),
            ("cleanup.policy", "delete"),
            ("retention.ms", &week),
            ("retention.bytes", "-1"),
            ("max.message.bytes", "1048588"),
            ("unclean.leader.election.enable", "false"),
        ];
        let mut settings: Settings =
            right.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let number = |wanted, right| if name == wanted { value.parse().unwrap() } else { right };
        let (partitions, replicas) = (number("partitions", 12), number("replicas", 3));
        settings.insert(name.to_owned(), value.to_owned());
        (Shape { partitions, fewest_replicas: usize::try_from(replicas).unwrap() }, settings)
    }

    fn found(name: &str, value: &str) -> Vec<Deviation> {
        let (shape, settings) = with(name, value);
        deviations(shape, &settings, &expected())
    }

    #[test]
    fn each_setting_is_held_to_what_the_promises_rest_on() {
        let (short, long) = ((DAY - 1).to_string(), (8 * DAY).to_string());
        for (name, right, wrong) in [
            ("partitions", vec!["12"], vec!["13", "11"]),
            ("replicas", vec!["3", "4"], vec!["1", "2"]),
            ("min.insync.replicas", vec!["2", "3"], vec!["1"]),
            ("cleanup.policy", vec!["delete"], vec!["compact", "compact,delete", "delete,compact"]),
            ("retention.ms", vec!["-1", "86400000"], vec!["0", &short, &long]),
            ("retention.bytes", vec!["-1"], vec!["0", "1073741824"]),
            ("max.message.bytes", vec!["69632"], vec!["69631", "20000"]),
            ("unclean.leader.election.enable", vec!["false"], vec!["true"]),
        ] {
            for value in right {
                assert_eq!(found(name, value), [], "{name} = {value}");
            }
            for value in wrong {
                let found = found(name, value);
                let [Deviation { setting, what, stops }] = &found[..] else {
                    panic!("{name} = {value}: {found:?}");
                };
                assert_eq!(*setting, name);
                assert!(what.contains(value), "{what} does not say {value}");
                assert_eq!(*stops, name == "partitions", "{name}");
            }
            assert!(SETTINGS.contains(&name));
        }
    }

    #[test]
    fn a_small_cluster_is_held_to_what_it_can_keep() {
        let expected = Expected { replication: 1, ..expected() };
        let (shape, settings) = with("min.insync.replicas", "1");
        let shape = Shape { fewest_replicas: 1, ..shape };
        assert_eq!(deviations(shape, &settings, &expected), []);
    }

    #[test]
    fn what_is_not_told_is_not_judged() {
        let (shape, _) = with("partitions", "12");
        assert_eq!(deviations(shape, &Settings::new(), &expected()), []);
    }
}
