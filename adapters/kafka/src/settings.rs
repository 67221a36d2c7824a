//! How clients talk to Kafka, where librdkafka's own defaults would lose, reorder or delay.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::cluster::Cluster;

/// The partitions of the topic. More of them than consumers a group will ever have: they can be
/// added later only at the price of the order of events.
pub const PARTITIONS: i32 = 12;

/// How long a record may wait for its acknowledgement. The relay holds its lanes as long, so it must
/// be short; a broker that changes its leader needs a few seconds.
pub(super) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// What every client needs.
pub(super) fn client_settings(cluster: &Cluster) -> ClientConfig {
    amended(base(cluster), cluster)
}

fn base(cluster: &Cluster) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &cluster.servers)
        .set("client.id", "orders")
        // A misspelt topic is an error, not a new topic of one partition.
        .set("allow.auto.create.topics", "false")
        // Back within a second of the brokers; the default waits up to ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        // What was asked of a broker that hangs, or went away, is otherwise waited for a minute. By
        // then the cluster has had another leader for long.
        .set("socket.timeout.ms", "10000")
        .set("socket.nagle.disable", "true")
        .set_log_level(RDKafkaLogLevel::Info);
    for (name, value) in &cluster.security {
        config.set(*name, value);
    }
    config
}

/// A producer that neither loses nor doubles nor reorders while it lives.
pub(super) fn producer_settings(cluster: &Cluster) -> ClientConfig {
    let mut config = base(cluster);
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", "5")
        // Java's partitioner, so that every client puts an order in the same partition.
        .set("partitioner", "murmur2_random")
        // Cheap on both sides, and orders resemble each other.
        .set("compression.type", "lz4")
        // The relay hands over whole batches; a longer wait would only delay them.
        .set("linger.ms", "2")
        .set("message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string())
        // How long a leader may wait for its followers.
        .set("request.timeout.ms", "5000")
        // A new leader is found soon, or not for seconds.
        .set("retry.backoff.ms", "50")
        // The default keeps up to 1 GiB in memory while brokers are away. What all workers of a relay hold at
        // once fits in.
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "16384");
    amended(config, cluster)
}

/// A producer whose every request carries a single record, so that Kafka's answer is about that record.
pub(super) fn lone_producer_settings(cluster: &Cluster) -> ClientConfig {
    let mut config = producer_settings(cluster);
    // Whatever an operator added: the meaning of an answer rests on it.
    config.set("batch.num.messages", "1").set("linger.ms", "0");
    config
}

/// A member of a group that commits only what it says it has done.
pub(super) fn consumer_settings(cluster: &Cluster, group: &str) -> ClientConfig {
    let mut config = base(cluster);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        // A member that comes or goes does not stop the others.
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "1000")
        .set("fetch.wait.max.ms", cluster.fetch_wait_ms.to_string())
        // After a full queue the default pauses a partition for a second.
        .set("fetch.queue.backoff.ms", "20")
        .set("fetch.error.backoff.ms", "100")
        // The default keeps up to 64 MiB, and asks each broker for as much, 1 MiB for each partition. The
        // largest orders have 54 kB: with these, 5,000 of them take 46 MB of the pharmacy's memory, and
        // as long as with more.
        .set("queued.min.messages", "2000")
        .set("queued.max.messages.kbytes", "2048")
        .set("fetch.max.bytes", "1048576")
        .set("fetch.message.max.bytes", "262144")
        // Tells how far the group is behind.
        .set("statistics.interval.ms", "5000");
    amended(config, cluster)
}

/// With what an operator added. A client ignores what is meant for another kind of client.
fn amended(mut config: ClientConfig, cluster: &Cluster) -> ClientConfig {
    for (name, value) in &cluster.properties {
        config.set(name, value);
    }
    config
}
