use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;
use runtime::StartError;
use runtime::config::KafkaArgs;

use super::client::Logging;
use super::security::{self, Properties};
use super::settings::{consumer_settings, producer_settings};
use super::{properties, servers};

/// The Kafka cluster that the settings name, and the way to it: what every client is made of.
///
/// Whoever has one has settings without a contradiction, that librdkafka accepts. Nothing was
/// connected to yet.
#[derive(Clone)]
pub struct Cluster {
    pub(super) servers: String,
    pub(super) topic: String,
    pub(super) fetch_wait_ms: u32,
    pub(super) security: Properties,
    /// What an operator added, applied last.
    pub(super) properties: Vec<(String, String)>,
}

impl Cluster {
    /// The cluster of these settings.
    ///
    /// # Errors
    /// When a setting is wrong; the line names its variable and says what would be right.
    pub fn new(args: &KafkaArgs) -> Result<Self, StartError> {
        let cluster = Self {
            servers: servers::parse(&args.kafka_bootstrap_servers)?,
            topic: args.kafka_topic.clone(),
            fetch_wait_ms: args.kafka_fetch_wait_ms,
            security: security::properties(&args.security, security::TLS_IS_BUILT_IN)?,
            properties: properties::parse(&args.security.kafka_properties)?,
        };
        cluster.try_each_property()?;
        cluster.try_a_client()?;
        Ok(cluster)
    }

    /// Finds a property that librdkafka does not know, or whose value it does not take.
    fn try_each_property(&self) -> Result<(), StartError> {
        for (name, value) in &self.properties {
            let alone = ClientConfig::new().set(name, value).create_native_config();
            alone.map(drop).map_err(|error| wrong_property(name, &error))?;
        }
        Ok(())
    }

    /// Finds what librdkafka sees only when a client is made: a file without a certificate, values
    /// that do not go together. These clients know no broker, so they ask none.
    fn try_a_client(&self) -> Result<(), StartError> {
        let alone = |mut settings: ClientConfig| {
            settings.remove("bootstrap.servers");
            settings
        };
        let producer = alone(producer_settings(self));
        let consumer = alone(consumer_settings(self, "orders"));
        let refused = |error| self.refused(error);
        producer
            .create_with_context::<_, BaseProducer<Logging>>(Logging::default())
            .map_err(refused)?;
        consumer
            .create_with_context::<_, BaseConsumer<Logging>>(Logging::default())
            .map_err(refused)?;
        Ok(())
    }

    fn refused(&self, error: KafkaError) -> StartError {
        let KafkaError::ClientCreation(complaint) = &error else {
            return StartError::other("cannot use Kafka", error);
        };
        let complaint = complaint.trim_end();
        if let Some(variable) = security::variable_of(complaint) {
            StartError::setting(variable, format!("{complaint}; name a PEM file that holds it"))
        } else if self.properties.is_empty() || self.without_properties().try_a_client().is_err() {
            StartError::other("cannot use Kafka", error)
        } else {
            StartError::setting(properties::VARIABLE, complaint.to_owned())
        }
    }

    fn without_properties(&self) -> Self {
        Self { properties: Vec::new(), ..self.clone() }
    }
}

fn wrong_property(name: &str, error: &KafkaError) -> StartError {
    let reason = match error {
        KafkaError::ClientConfig(_, complaint, ..) => complaint.trim_end().to_owned(),
        other => other.to_string(),
    };
    StartError::setting(properties::VARIABLE, format!("librdkafka refuses {name}: {reason}"))
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("servers", &self.servers)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::config::Secret;

    fn with(properties: &str) -> Result<Cluster, String> {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        args.security.kafka_properties = vec![Secret::from(properties)];
        Cluster::new(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn properties_are_applied_last_and_to_every_client() {
        let cluster = with("linger.ms=7,session.timeout.ms=9000,client.rack=a").unwrap();
        for settings in [producer_settings(&cluster), consumer_settings(&cluster, "group")] {
            assert_eq!(settings.get("linger.ms"), Some("7"));
            assert_eq!(settings.get("session.timeout.ms"), Some("9000"));
            assert_eq!(settings.get("client.rack"), Some("a"));
        }
    }

    #[test]
    fn what_librdkafka_does_not_take_is_one_line_that_names_the_property() {
        for (properties, reason) in [
            ("linger.msec=5", "librdkafka refuses linger.msec: No such configuration property"),
            ("linger.ms=soon", "librdkafka refuses linger.ms: Invalid value"),
            ("session.timeout.ms=-5", "librdkafka refuses session.timeout.ms: "),
            // Each would do alone.
            ("session.timeout.ms=900000", "session.timeout.ms"),
            ("linger.ms=20000", "linger.ms"),
        ] {
            let said = with(properties).unwrap_err();
            assert!(said.starts_with("KAFKA_PROPERTIES is wrong: "), "{said}");
            assert!(said.contains(reason) && !said.contains('\n'), "{properties}: {said}");
        }
    }

    #[test]
    fn what_may_hold_a_password_is_not_in_what_is_logged() {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        args.security.kafka_properties = vec![Secret::from("client.rack=hunter2")];
        let cluster = Cluster::new(&args).unwrap();
        assert_eq!(producer_settings(&cluster).get("client.rack"), Some("hunter2"));
        assert!(!format!("{args:?} {cluster:?}").contains("hunter2"));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_file_without_a_certificate_is_told_before_anything_connects() {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        args.security.kafka_security_protocol = Some("ssl".to_owned());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        args.security.kafka_ssl_ca_location = Some(manifest.to_owned());
        let said = Cluster::new(&args).unwrap_err().to_string();
        assert!(
            said.starts_with("KAFKA_SSL_CA_LOCATION is wrong: ssl.ca.location failed"),
            "{said}"
        );
    }
}
