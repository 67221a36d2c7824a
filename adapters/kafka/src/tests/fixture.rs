use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapter_avro as avro;
use application::StoreError;
use application::inbox::{BatchOutcome, Inbox};
use application::published::{DeadLetter, PublishedEvent};
use application::relay::OutboxRecord;
use domain::EventId;
use domain::ordering::{NewOrder, Order, OrderEvent, OrderItem, OrderItems, ProductId, Quantity};
use rdkafka::ClientConfig;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use runtime::clock;
use runtime::config::KafkaArgs;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::stub_registry::StubRegistry;
use crate::{
    Cluster, ConsumeError, ConsumerConfig, ConsumerHealth, EventDecoder, KafkaPublisher, Registry,
    consume,
};

pub(super) const TOPIC: &str = "order-created-topic";
pub(super) const PARTITIONS: i32 = 4;

/// The timestamp of the records that [`Fixture::produce`] sends.
pub(super) const TIMESTAMP: i64 = 1_767_225_600_123;

/// A cluster of three brokers and a registry.
pub(super) struct Fixture {
    pub(super) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(super) registry: StubRegistry,
    pub(super) args: KafkaArgs,
}

impl Fixture {
    pub(super) async fn start() -> Self {
        let cluster = MockCluster::new(3).unwrap();
        cluster.create_topic(TOPIC, PARTITIONS, 3).unwrap();
        let registry = StubRegistry::default();
        let args =
            embedded_kafka::client_args(cluster.bootstrap_servers(), registry.start().await, TOPIC);
        Self { cluster, registry, args }
    }

    /// The connection settings of the cluster.
    pub(super) fn cluster_settings(&self) -> Cluster {
        Cluster::new(&self.args).unwrap()
    }

    pub(super) fn publisher(&self) -> KafkaPublisher {
        KafkaPublisher::new(
            &self.cluster_settings(),
            Registry::new(&self.args).unwrap(),
            "/ordering",
            adapter_avro::ordering(),
        )
        .unwrap()
    }

    /// All records of the topic. Waits until there are at least `count`.
    pub(super) fn records(&self, count: usize) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.args.kafka_bootstrap_servers)
            .set("group.id", "observer")
            .set("fetch.wait.max.ms", "10")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(TOPIC, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut records = Vec::new();
        while records.len() < count {
            assert!(Instant::now() < deadline, "only {} of {count} records", records.len());
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
                records.push(message.detach());
            }
        }
        while let Some(Ok(message)) = consumer.poll(Duration::from_millis(300)) {
            records.push(message.detach());
        }
        records
    }

    /// Sends a record with any value, also one that our publisher would not send.
    pub(super) fn produce(&self, partition: i32, value: Option<&[u8]>) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.args.kafka_bootstrap_servers)
            .create()
            .unwrap();
        let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(TOPIC).partition(partition);
        record.key = Some("key");
        record.payload = value;
        record.timestamp = Some(TIMESTAMP);
        record.headers =
            Some(OwnedHeaders::new().insert(Header { key: "h", value: Some(b"\xff") }));
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.flush(Duration::from_secs(10)).unwrap();
    }

    /// The sum of the committed offsets of a group over all partitions.
    pub(super) fn committed(&self, group: &str) -> i64 {
        self.commits(group).iter().map(|(offset, _)| offset).sum()
    }

    /// The committed offset of a group in each partition, 0 if there is none, and its metadata.
    pub(super) fn commits(&self, group: &str) -> Vec<(i64, String)> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.args.kafka_bootstrap_servers)
            .set("group.id", group)
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        all.add_partition_range(TOPIC, 0, PARTITIONS - 1);
        let committed = consumer.committed_offsets(all, Duration::from_secs(10)).unwrap();
        let offset = |offset| if let Offset::Offset(number) = offset { number } else { 0 };
        let commit = |element: &TopicPartitionListElem<'_>| {
            (offset(element.offset()), element.metadata().to_owned())
        };
        committed.elements().iter().map(commit).collect()
    }

    pub(super) fn consumer(&self, group: &str, inbox: &RecordingInbox) -> Running {
        self.consumer_with_timeout(group, inbox, Duration::from_secs(1))
    }

    /// Starts a consumer with this timeout for unknown schema ids.
    pub(super) fn consumer_with_timeout(
        &self,
        group: &str,
        inbox: &RecordingInbox,
        unknown_schema_timeout: Duration,
    ) -> Running {
        let health = ConsumerHealth::default();
        let config = ConsumerConfig {
            cluster: self.cluster_settings(),
            group: group.to_owned(),
            health: health.clone(),
            republish: "`parcels replay`",
        };
        let registry = Registry::new(&self.args).unwrap();
        let decoder = EventDecoder::new(registry, adapter_avro::ORDERING)
            .with_unknown_schema_timeout(unknown_schema_timeout);
        let shutdown = CancellationToken::new();
        let (inbox, token) = (inbox.clone(), shutdown.clone());
        let task = tokio::spawn(async move { consume(config, decoder, &inbox, token).await });
        Running { health, shutdown, task }
    }
}

/// A running consumer.
pub(super) struct Running {
    pub(super) health: ConsumerHealth,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ConsumeError>>,
}

impl Running {
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.task).await.unwrap().unwrap().unwrap();
    }
}

/// An inbox that records its calls and can simulate failures.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordingInbox(Arc<InboxState>);

#[derive(Debug, Default)]
struct InboxState {
    received: Mutex<Received>,
    remaining_failures: AtomicUsize,
    failures: AtomicUsize,
}

#[derive(Debug, Default)]
struct Received {
    events: HashSet<EventId>,
    repeats: usize,
    dead: Vec<DeadLetter>,
    largest_call: usize,
}

impl RecordingInbox {
    /// Makes the next `times` calls fail as unavailable.
    pub(super) fn fail_next(&self, times: usize) {
        self.0.remaining_failures.store(times, Ordering::SeqCst);
    }

    /// The number of failed calls.
    pub(super) fn failures(&self) -> usize {
        self.0.failures.load(Ordering::SeqCst)
    }

    pub(super) fn has(&self, events: &[OrderEvent]) -> bool {
        let received = self.0.received.lock().unwrap();
        events.iter().all(|event| received.events.contains(&event.id))
    }

    pub(super) fn events(&self) -> usize {
        self.0.received.lock().unwrap().events.len()
    }

    pub(super) fn repeats(&self) -> usize {
        self.0.received.lock().unwrap().repeats
    }

    /// The largest size of the dead letters in one call.
    pub(super) fn largest_call(&self) -> usize {
        self.0.received.lock().unwrap().largest_call
    }

    pub(super) fn dead(&self) -> Vec<DeadLetter> {
        self.0.received.lock().unwrap().dead.clone()
    }
}

impl Inbox for RecordingInbox {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let less = |left: usize| left.checked_sub(1);
        if self.0.remaining_failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
        {
            self.0.failures.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("simulated failure".into()));
        }
        let mut received = self.0.received.lock().unwrap();
        let mut intake = BatchOutcome { dead: dead.len() as u64, ..BatchOutcome::default() };
        for event in events {
            if received.events.insert(event.event_id) {
                intake.applied += 1;
            } else {
                received.repeats += 1;
                intake.repeated += 1;
            }
        }
        let bytes = dead.iter().map(|letter| letter.record.size()).sum();
        received.largest_call = received.largest_call.max(bytes);
        received.dead.extend_from_slice(dead);
        Ok(intake)
    }
}

/// `count` events, each the creation of another order.
pub(super) fn events(count: usize) -> Vec<OrderEvent> {
    let item = OrderItem {
        product_id: ProductId::try_from(7).unwrap(),
        quantity: Quantity::try_from(2).unwrap(),
        medication: None,
    };
    let order = |_| {
        let new = NewOrder {
            id: clock::new_order_id(),
            customer_name: "Ada Lovelace".parse().unwrap(),
            items: OrderItems::try_from(vec![item.clone()]).unwrap(),
            customer_id: None,
            note: None,
        };
        Order::place(new, clock::event_stamp()).recorded()[0].clone()
    };
    (0..count).map(order).collect()
}

/// An event as stored in the outbox.
pub(super) fn outbox_record(event: &OrderEvent) -> OutboxRecord {
    let encoded = avro::encode(event).unwrap();
    OutboxRecord {
        lane: 0,
        position: 1,
        event_id: event.id,
        aggregate_id: event.order_id.get(),
        aggregate_version: event.version.get(),
        event_type: encoded.event_type.to_owned(),
        schema_fingerprint: encoded.schema_fingerprint.to_vec(),
        payload: encoded.payload,
        headers: vec![("traceparent".to_owned(), TRACE.to_owned())],
        occurred_at: event.occurred_at,
    }
}

pub(super) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Waits until the condition is true. Panics after a deadline.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
