//! How clients talk to Kafka, where librdkafka's own defaults would lose, reorder or delay.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::config::KafkaArgs;

/// The partitions of the topic. More of them than consumers a group will ever have: they can be
/// added later only at the price of the order of events.
pub const PARTITIONS: i32 = 12;

/// How long a record may wait for its acknowledgement. The relay holds a lane as long, so it must
/// be short; a broker that changes its leader needs a few seconds.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// What every client needs.
#[must_use]
pub fn client_settings(args: &KafkaArgs) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &args.kafka_bootstrap_servers)
        .set("client.id", "orders")
        // A misspelt topic is an error, not a new topic of one partition.
        .set("allow.auto.create.topics", "false")
        // Back within a second of the brokers; the default waits up to ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        .set("socket.nagle.disable", "true")
        .set_log_level(RDKafkaLogLevel::Info);
    config
}

/// A producer that neither loses nor doubles nor reorders while it lives.
#[must_use]
pub fn producer_settings(args: &KafkaArgs) -> ClientConfig {
    let mut config = client_settings(args);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", "5")
        // Java's partitioner, so that every client puts an order in the same partition.
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        // The relay hands over whole batches; a longer wait would only delay them.
        .set("linger.ms", "2")
        .set("message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string())
        .set("request.timeout.ms", "5000")
        .set("retry.backoff.ms", "50")
        // The default keeps up to 1 GiB in memory while brokers are away.
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "32768");
    config
}

/// A member of a group that commits only what it says it has done.
#[must_use]
pub fn consumer_settings(args: &KafkaArgs, group: &str) -> ClientConfig {
    let mut config = client_settings(args);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        // A member that comes or goes does not stop the others.
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "1000")
        .set("fetch.wait.max.ms", args.kafka_fetch_wait_ms.to_string())
        // After a full queue the default pauses a partition for a second.
        .set("fetch.queue.backoff.ms", "20")
        .set("fetch.error.backoff.ms", "100")
        // The default keeps up to 64 MiB for each partition.
        .set("queued.min.messages", "2000")
        .set("queued.max.messages.kbytes", "8192")
        .set("fetch.message.max.bytes", "1048576")
        // Tells how far the group is behind.
        .set("statistics.interval.ms", "5000");
    config
}
