//! Additional librdkafka properties from `KAFKA_PROPERTIES`. Properties that are needed for the
//! delivery guarantees cannot be set.

use runtime::StartError;
use runtime::config::Secret;

/// The environment variable with the properties.
pub(super) const VARIABLE: &str = "KAFKA_PROPERTIES";

const EXACTLY_ONCE: &str = "another value could duplicate, lose or reorder events";
const SAME_PARTITION: &str = "every publisher must send an order's events to the same partition";
const COMMIT_AFTER_APPLY: &str = "an offset is committed only after the event was applied";
const OWN_VARIABLE: &str = "it has an environment variable of its own";
const GROUP_WIDE: &str = "all members of a group must use the same value";
const DELIVERY_REPORT: &str = "an event counts as published only after its delivery report";
const MESSAGE_TIMEOUT: &str = "the relay waits exactly this long for an acknowledgement";

/// Properties that cannot be changed, with the reason.
const FIXED: [(&str, &str); 32] = [
    ("acks", EXACTLY_ONCE),
    ("request.required.acks", EXACTLY_ONCE),
    ("enable.idempotence", EXACTLY_ONCE),
    ("max.in.flight", EXACTLY_ONCE),
    ("max.in.flight.requests.per.connection", EXACTLY_ONCE),
    ("transactional.id", "events are published without Kafka's transactions"),
    ("delivery.report.only.error", DELIVERY_REPORT),
    ("message.timeout.ms", MESSAGE_TIMEOUT),
    ("delivery.timeout.ms", MESSAGE_TIMEOUT),
    ("partitioner", SAME_PARTITION),
    ("enable.auto.commit", COMMIT_AFTER_APPLY),
    ("auto.commit.enable", COMMIT_AFTER_APPLY),
    ("enable.auto.offset.store", COMMIT_AFTER_APPLY),
    ("auto.offset.reset", "a new group starts at the first event, so that it misses none"),
    ("partition.assignment.strategy", GROUP_WIDE),
    ("group.protocol", GROUP_WIDE),
    ("group.instance.id", "two instances with the same id remove each other from the group"),
    ("statistics.interval.ms", "lag and readiness are computed from the statistics"),
    ("allow.auto.create.topics", "a misspelt topic name would create a topic with one partition"),
    ("group.id", OWN_VARIABLE),
    ("bootstrap.servers", OWN_VARIABLE),
    ("metadata.broker.list", OWN_VARIABLE),
    ("security.protocol", OWN_VARIABLE),
    ("sasl.mechanism", OWN_VARIABLE),
    ("sasl.mechanisms", OWN_VARIABLE),
    ("sasl.username", OWN_VARIABLE),
    ("sasl.password", OWN_VARIABLE),
    ("ssl.ca.location", OWN_VARIABLE),
    ("ssl.certificate.location", OWN_VARIABLE),
    ("ssl.key.location", OWN_VARIABLE),
    ("ssl.key.password", OWN_VARIABLE),
    ("fetch.wait.max.ms", OWN_VARIABLE),
];

/// Parses `name=value` entries, separated by commas. A value can contain commas: text without `=`
/// belongs to the value before it.
///
/// # Errors
/// When a name is missing, or the property cannot be changed.
pub(super) fn parse(given: &[Secret]) -> Result<Vec<(String, String)>, StartError> {
    let wrong = |reason| StartError::setting(VARIABLE, reason);
    let mut properties: Vec<(String, String)> = Vec::new();
    for entry in given.iter().flat_map(|text| text.reveal().split(',')) {
        match (entry.split_once('='), properties.last_mut()) {
            (Some((name, value)), _) if !name.trim().is_empty() => {
                properties.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (None, _) if entry.trim().is_empty() => {}
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(entry.trim());
            }
            // The text may be a secret, so the message does not contain it.
            _ => return Err(wrong("write name=value, separated by commas".to_owned())),
        }
    }
    let fixed = |name: &str| FIXED.iter().find(|(fixed, _)| *fixed == name);
    match properties.iter().find_map(|(name, _)| fixed(name)) {
        Some((name, why)) => Err(wrong(format!("{name} cannot be changed: {why}"))),
        None => Ok(properties),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        parse(&[Secret::from(text)]).map_err(|error| error.to_string())
    }

    #[test]
    fn property_values_can_contain_commas() {
        for (text, expected) in [
            ("", vec![]),
            ("linger.ms=5", vec![("linger.ms", "5")]),
            (" linger.ms = 5 , client.rack=a,", vec![("linger.ms", "5"), ("client.rack", "a")]),
            (
                "debug=security,broker,client.rack=a=b",
                vec![("debug", "security,broker"), ("client.rack", "a=b")],
            ),
            ("client.rack=", vec![("client.rack", "")]),
        ] {
            let expected =
                expected.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        let repeated = parse(&["linger.ms=5".into(), "client.rack=a".into()]).unwrap();
        assert_eq!(repeated.len(), 2);
    }

    #[test]
    fn text_without_a_property_name_is_refused_without_repeating_it() {
        for text in ["hunter2", "=hunter2", ",hunter2", "client.rack=a,=hunter2"] {
            let message = read(text).unwrap_err();
            let expected = "KAFKA_PROPERTIES is wrong: write name=value, separated by commas";
            assert_eq!(message, expected, "{text}");
        }
    }

    #[test]
    fn a_property_that_the_guarantees_depend_on_is_refused_with_the_reason() {
        for (name, why) in FIXED {
            let message = read(&format!("client.rack=a,{name}=1")).unwrap_err();
            assert_eq!(
                message,
                format!("KAFKA_PROPERTIES is wrong: {name} cannot be changed: {why}")
            );
        }
    }
}
