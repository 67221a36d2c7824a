use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;
use rdkafka::types::RDKafkaConfRes;
use runtime::StartError;
use runtime::config::KafkaArgs;

use super::client::Logging;
use super::cluster::Cluster;
use super::settings::{consumer_settings, producer_settings};
use super::{properties, security, servers};

impl Cluster {
    /// Validates the settings.
    ///
    /// # Errors
    /// When a setting is wrong. The message names its variable and says what would be right.
    pub fn new(args: &KafkaArgs) -> Result<Self, StartError> {
        let cluster = Self {
            servers: servers::parse(&args.kafka_bootstrap_servers)?,
            topic: args.kafka_topic.clone(),
            fetch_wait_ms: args.kafka_fetch_wait_ms,
            security: security::properties(&args.security, security::TLS_IS_BUILT_IN)?,
            properties: properties::parse(&args.security.kafka_properties)?,
        };
        cluster.check_properties()?;
        cluster.check_clients()?;
        Ok(cluster)
    }

    /// Fails for a property that librdkafka does not know, or whose value it does not accept.
    fn check_properties(&self) -> Result<(), StartError> {
        for (number, (name, value)) in (1..).zip(&self.properties) {
            let config = ClientConfig::new().set(name, value).create_native_config();
            config.map(drop).map_err(|error| wrong_property(number, name, &error))?;
        }
        Ok(())
    }

    /// Creates clients to find errors that librdkafka reports only then: a file without a
    /// certificate, or values that contradict each other. They have no broker and do not connect.
    fn check_clients(&self) -> Result<(), StartError> {
        let without_brokers = |mut settings: ClientConfig| {
            settings.remove("bootstrap.servers");
            settings
        };
        let producer = without_brokers(producer_settings(self));
        let consumer = without_brokers(consumer_settings(self, "orders"));
        let failed = |error| self.start_error(error);
        producer
            .create_with_context::<_, BaseProducer<Logging>>(Logging::default())
            .map_err(failed)?;
        consumer
            .create_with_context::<_, BaseConsumer<Logging>>(Logging::default())
            .map_err(failed)?;
        Ok(())
    }

    fn start_error(&self, error: KafkaError) -> StartError {
        let KafkaError::ClientCreation(complaint) = &error else {
            return StartError::other("cannot use Kafka", error);
        };
        let complaint = complaint.trim_end();
        if let Some(variable) = security::variable_of(complaint) {
            StartError::setting(variable, format!("{complaint}; name a PEM file that holds it"))
        } else if self.properties.is_empty() || self.without_properties().check_clients().is_err() {
            StartError::other("cannot use Kafka", error)
        } else {
            StartError::setting(properties::VARIABLE, complaint.to_owned())
        }
    }

    fn without_properties(&self) -> Self {
        Self { properties: Vec::new(), ..self.clone() }
    }
}

/// Neither the value nor an unknown name is quoted: a name may be part of a secret that contains a comma.
fn wrong_property(number: u32, name: &str, error: &KafkaError) -> StartError {
    let is_unknown =
        matches!(error, KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..));
    let reason = if is_unknown {
        format!("librdkafka has no property with the name of number {number}")
    } else {
        format!("librdkafka refuses the value of {name}")
    };
    StartError::setting(properties::VARIABLE, reason)
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
    fn a_property_that_librdkafka_refuses_is_reported_in_one_line() {
        for (properties, reason) in [
            ("client.rack=a,linger.msec=5", "librdkafka has no property with the name of number 2"),
            ("linger.ms=soon", "librdkafka refuses the value of linger.ms"),
            ("session.timeout.ms=-5", "librdkafka refuses the value of session.timeout.ms"),
            // Each is valid alone, but contradicts another setting.
            ("session.timeout.ms=900000", "session.timeout.ms"),
            ("linger.ms=20000", "linger.ms"),
        ] {
            let message = with(properties).unwrap_err();
            assert!(message.starts_with("KAFKA_PROPERTIES is wrong: "), "{message}");
            assert!(message.contains(reason) && !message.contains('\n'), "{properties}: {message}");
        }
    }

    #[test]
    fn the_debug_output_contains_no_property_values() {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        args.security.kafka_properties = vec![Secret::from("client.rack=hunter2")];
        let cluster = Cluster::new(&args).unwrap();
        assert_eq!(producer_settings(&cluster).get("client.rack"), Some("hunter2"));
        assert!(!format!("{args:?} {cluster:?}").contains("hunter2"));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_ca_file_without_a_certificate_is_reported_before_connecting() {
        let mut args = KafkaArgs::at("localhost:9092", "http://localhost:8081", "topic");
        args.security.kafka_security_protocol = Some("ssl".to_owned());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        args.security.kafka_ssl_ca_location = Some(manifest.to_owned());
        let message = Cluster::new(&args).unwrap_err().to_string();
        assert!(
            message.starts_with("KAFKA_SSL_CA_LOCATION is wrong: ssl.ca.location failed"),
            "{message}"
        );
    }
}
