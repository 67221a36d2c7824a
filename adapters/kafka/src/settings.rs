//! librdkafka settings of producers and consumers.
//!
//! They differ from the defaults where those could lose, reorder or delay events.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::cluster::Cluster;

/// Number of partitions of the topic. It limits the number of consumers per group, and cannot be
/// raised later without breaking the order of events.
pub const PARTITIONS: i32 = 12;

/// How long a record may wait for its acknowledgement. The relay holds its lanes during this time,
/// so it must be short, but a leader election takes a few seconds.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of every client.
pub(super) fn client_settings(cluster: &Cluster) -> ClientConfig {
    with_properties(base(cluster), cluster)
}

fn base(cluster: &Cluster) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &cluster.servers)
        .set("client.id", "orders")
        // A misspelt topic name must be an error, not create a topic with one partition.
        .set("allow.auto.create.topics", "false")
        // Reconnect within a second after an outage. The default is up to ten seconds.
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        // The default waits a minute for a broker that hangs. A short timeout finds the new leader soon
        // after the election, which takes about ten seconds.
        .set("socket.timeout.ms", "4000")
        .set("socket.nagle.disable", "true")
        .set_log_level(RDKafkaLogLevel::Info);
    for (name, value) in &cluster.security {
        config.set(*name, value);
    }
    config
}

/// Settings of a producer that does not lose, duplicate or reorder records during its lifetime.
pub(super) fn producer_settings(cluster: &Cluster) -> ClientConfig {
    let mut config = base(cluster);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", "5")
        // The partitioner of the Java client, so that every client uses the same partition for an
        // order.
        .set("partitioner", "murmur2_random")
        // Fast, and effective because orders are similar to each other.
        .set("compression.type", "lz4")
        // The relay sends whole batches. A longer wait would only delay them.
        .set("linger.ms", "2")
        .set("message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string())
        // How long a leader may wait for its followers.
        .set("request.timeout.ms", "3000")
        // A new leader is often available at once.
        .set("retry.backoff.ms", "50")
        // The default buffers up to 1 GiB while brokers are unavailable. The records that all
        // workers of a relay send at once fit into this limit.
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "16384");
    with_properties(config, cluster)
}

/// Settings of a producer that sends each record in its own request, so that an error is about that
/// record.
pub(super) fn single_record_producer_settings(cluster: &Cluster) -> ClientConfig {
    let mut config = producer_settings(cluster);
    // Set after the operator's properties, because the interpretation of errors depends on it.
    config.set("batch.num.messages", "1").set("linger.ms", "0");
    config
}

/// Settings of a member of a consumer group that commits only the offsets it has stored.
pub(super) fn consumer_settings(cluster: &Cluster, group: &str) -> ClientConfig {
    let mut config = base(cluster);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        // The other members keep consuming while a member joins or leaves.
        .set("partition.assignment.strategy", "cooperative-sticky")
        // Longer than the replacement of a coordinator that hangs. A member whose session has ended
        // joins again, and the group waits until the session of its old membership has ended too.
        .set("session.timeout.ms", "15000")
        .set("heartbeat.interval.ms", "1000")
        .set("fetch.wait.max.ms", cluster.fetch_wait_ms.to_string())
        // The default pauses a partition for a second when the queue is full.
        .set("fetch.queue.backoff.ms", "20")
        .set("fetch.error.backoff.ms", "100")
        // The defaults buffer 64 MiB and fetch as much from each broker, 1 MiB per partition. The
        // limits of a fetch are about compressed batches: 1 MiB has more than 10,000 orders. A
        // member hears that partitions are revoked or assigned only after the records that it has
        // buffered, so a slow member with a large buffer would delay both.
        .set("queued.min.messages", "1000")
        .set("queued.max.messages.kbytes", "1024")
        .set("fetch.max.bytes", "1048576")
        .set("fetch.message.max.bytes", "16384")
        // For the lag of the group.
        .set("statistics.interval.ms", "5000");
    with_properties(config, cluster)
}

/// Adds the operator's properties. A client ignores properties of other kinds of clients.
fn with_properties(mut config: ClientConfig, cluster: &Cluster) -> ClientConfig {
    for (name, value) in &cluster.properties {
        config.set(name, value);
    }
    config
}
