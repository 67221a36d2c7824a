//! Properties of librdkafka that an operator adds. Those on which the product's promises rest are
//! not for changing.

use runtime::StartError;
use runtime::config::Secret;

/// Where they come from.
pub(super) const VARIABLE: &str = "KAFKA_PROPERTIES";

const ONCE: &str = "without it an event could be doubled, lost or overtaken";
const PLACE: &str = "an order's events must all go to the same partition, whoever publishes them";
const DONE: &str = "an offset is committed only after the event took effect";
const HERE: &str = "a setting of its own names it";
const GROUP: &str = "all members of a group must agree on it";
const REPORT: &str = "an event counts as published only once its acknowledgement was reported";

/// What may not be changed, and why.
const FIXED: [(&str, &str); 32] = [
    ("acks", ONCE),
    ("request.required.acks", ONCE),
    ("enable.idempotence", ONCE),
    ("max.in.flight", ONCE),
    ("max.in.flight.requests.per.connection", ONCE),
    ("transactional.id", "events are published without Kafka's transactions"),
    ("delivery.report.only.error", REPORT),
    (
        "message.timeout.ms",
        "the relay waits as long as that for an acknowledgement, and not longer",
    ),
    (
        "delivery.timeout.ms",
        "the relay waits as long as that for an acknowledgement, and not longer",
    ),
    ("partitioner", PLACE),
    ("enable.auto.commit", DONE),
    ("auto.commit.enable", DONE),
    ("enable.auto.offset.store", DONE),
    ("auto.offset.reset", "a new group begins with the first event, so that it misses none"),
    ("partition.assignment.strategy", GROUP),
    ("group.protocol", GROUP),
    ("group.instance.id", "two instances of the same one put each other out of the group"),
    ("statistics.interval.ms", "the lag and the readiness are taken from these figures"),
    ("allow.auto.create.topics", "a misspelt topic would become a new one, of one partition"),
    ("group.id", HERE),
    ("bootstrap.servers", HERE),
    ("metadata.broker.list", HERE),
    ("security.protocol", HERE),
    ("sasl.mechanism", HERE),
    ("sasl.mechanisms", HERE),
    ("sasl.username", HERE),
    ("sasl.password", HERE),
    ("ssl.ca.location", HERE),
    ("ssl.certificate.location", HERE),
    ("ssl.key.location", HERE),
    ("ssl.key.password", HERE),
    ("fetch.wait.max.ms", HERE),
];

/// Reads `name=value`, several with commas. A value may have commas too: what has no `=` belongs to
/// the value before it.
///
/// # Errors
/// When there is no name, or it is a property that may not be changed.
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
            // What was written there may be a secret, so it is not repeated.
            _ => return Err(wrong("write name=value, several with commas".to_owned())),
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
    fn properties_are_read_with_all_the_commas_they_have() {
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
    fn what_is_no_property_is_refused_without_repeating_it() {
        for text in ["hunter2", "=hunter2", ",hunter2", "client.rack=a,=hunter2"] {
            let said = read(text).unwrap_err();
            let right = "KAFKA_PROPERTIES is wrong: write name=value, several with commas";
            assert_eq!(said, right, "{text}");
        }
    }

    #[test]
    fn what_the_promises_rest_on_is_refused_with_the_reason() {
        for (name, why) in FIXED {
            let said = read(&format!("client.rack=a,{name}=1")).unwrap_err();
            assert_eq!(said, format!("KAFKA_PROPERTIES is wrong: {name} cannot be changed: {why}"));
        }
    }
}
