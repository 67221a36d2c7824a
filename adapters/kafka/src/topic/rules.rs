//! Rules for the settings of the topic, on which the delivery guarantees depend.

use std::time::Duration;

use super::inspection::{Settings, Shape};

/// Size of the largest record: the body of an order has at most 64 KiB, its event is not larger,
/// and 4 KiB are for the key, the headers, the ids and the record batch.
const LARGEST_RECORD: i64 = 64 * 1024 + 4 * 1024;

/// How long a consumer must be able to be offline without losing records.
const SHORTEST_RETENTION: Duration = Duration::from_hours(24);

/// All checked settings, with their names in metrics.
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

/// The values that the topic is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The number of partitions when the topic was first seen.
    pub partitions: i32,
    /// The configured number of replicas of each partition.
    pub replication: i32,
    /// How long the outbox keeps events, so that they can be published again.
    pub outbox_retention: Duration,
}

/// A setting of the topic that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The setting, one of [`SETTINGS`].
    pub setting: &'static str,
    /// What is wrong, and what would be right.
    pub what: String,
    /// Whether publishing must stop, because the order of events would break.
    pub stops: bool,
}

/// All settings of the topic that break a rule. A missing setting is not checked.
#[must_use]
pub fn deviations(shape: Shape, settings: &Settings, expected: &Expected) -> Vec<Deviation> {
    let value_of = |name: &str| settings.get(name).map(String::as_str);
    let number = |name: &str| value_of(name).and_then(|value| value.parse::<i64>().ok());
    let warning = |setting, what| Deviation { setting, what, stops: false };
    let mut found = Vec::new();

    let (now, then) = (shape.partitions, expected.partitions);
    if now != then {
        found.push(Deviation {
            setting: "partitions",
            what: format!(
                "the topic has {now} partitions and had {then} when it was first seen: later events \
                 of an order would go to another partition and could overtake earlier ones; move to \
                 a new topic as described in the operations guide"
            ),
            stops: true,
        });
    }
    let (replicas, wanted) = (shape.fewest_replicas, expected.replication);
    if i32::try_from(replicas).is_ok_and(|replicas| replicas < wanted) {
        found.push(warning(
            "replicas",
            format!(
                "a partition has {replicas} replicas instead of {wanted}: events are lost if their \
                 brokers fail; add replicas with kafka-reassign-partitions, or change \
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
                "min.insync.replicas is {in_sync}: an event can count as published when only one \
                 broker has it, and is lost if that broker fails; set it to 2"
            ),
        ));
    }
    if let Some(policy) = value_of("cleanup.policy")
        && policy != "delete"
    {
        found.push(warning(
            "cleanup.policy",
            format!(
                "cleanup.policy is {policy}: compaction deletes all events of an order except the \
                 last; set it to delete"
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
                "retention.bytes is {bytes}: when this size is reached, events are deleted even if \
                 they are new and unread; set it to -1"
            ),
        ));
    }
    if let Some(bytes) = number("max.message.bytes")
        && bytes < LARGEST_RECORD
    {
        found.push(warning(
            "max.message.bytes",
            format!(
                "max.message.bytes is {bytes}: the largest orders cannot be published; set it to at \
                 least {LARGEST_RECORD}"
            ),
        ));
    }
    if value_of("unclean.leader.election.enable") == Some("true") {
        found.push(warning(
            "unclean.leader.election.enable",
            "unclean.leader.election.enable is true: a broker without the latest events can become \
             leader, and those events are lost; set it to false"
                .to_owned(),
        ));
    }
    found
}

/// What is wrong with this retention. A negative value means unlimited.
fn retention(millis: i64, outbox: Duration) -> Option<String> {
    let topic = Duration::from_millis(u64::try_from(millis).ok()?);
    if topic < SHORTEST_RETENTION {
        Some(format!(
            "retention.ms is {millis}: a consumer that is offline for longer misses events; set it to \
             at least one day"
        ))
    } else if topic >= outbox {
        Some(format!(
            "retention.ms is {millis}, which is not less than the retention of the outbox ({} days): \
             a replay could not publish all lost events again; raise OUTBOX_RETENTION_DAYS or lower \
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

    /// A valid topic in which one setting is changed.
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
    fn a_setting_that_breaks_a_guarantee_is_reported() {
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
    fn one_replica_is_enough_if_one_is_configured() {
        let expected = Expected { replication: 1, ..expected() };
        let (shape, settings) = with("min.insync.replicas", "1");
        let shape = Shape { fewest_replicas: 1, ..shape };
        assert_eq!(deviations(shape, &settings, &expected), []);
    }

    #[test]
    fn a_missing_setting_is_not_checked() {
        let (shape, _) = with("partitions", "12");
        assert_eq!(deviations(shape, &Settings::new(), &expected()), []);
    }
}
