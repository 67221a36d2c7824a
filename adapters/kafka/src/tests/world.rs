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
use runtime::clock;
use runtime::config::KafkaArgs;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::registry::StubRegistry;
use crate::{
    Cluster, ConsumeError, ConsumerConfig, ConsumerHealth, EventDecoder, KafkaPublisher, Registry,
    consume,
};

pub(super) const TOPIC: &str = "order-created-topic";
pub(super) const PARTITIONS: i32 = 4;

/// The timestamp of what [`World::produce`] puts into the topic.
pub(super) const TIMESTAMP: i64 = 1_767_225_600_123;

/// A cluster of three brokers and a registry.
pub(super) struct World {
    pub(super) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(super) registry: StubRegistry,
    pub(super) args: KafkaArgs,
}

impl World {
    pub(super) async fn start() -> Self {
        let cluster = MockCluster::new(3).unwrap();
        cluster.create_topic(TOPIC, PARTITIONS, 3).unwrap();
        let registry = StubRegistry::default();
        let args = KafkaArgs {
            kafka_fetch_wait_ms: 10,
            ..KafkaArgs::at(cluster.bootstrap_servers(), registry.start().await, TOPIC)
        };
        Self { cluster, registry, args }
    }

    /// The cluster, as a client is told of it.
    pub(super) fn way_in(&self) -> Cluster {
        Cluster::new(&self.args).unwrap()
    }

    pub(super) fn publisher(&self) -> KafkaPublisher {
        KafkaPublisher::new(
            &self.way_in(),
            Registry::new(&self.args, adapter_avro::SCHEMAS).unwrap(),
            "/ordering",
        )
        .unwrap()
    }

    /// All that lies in the topic, once it is at least `count` records.
    pub(super) fn records(&self, count: usize) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.args.kafka_bootstrap_servers)
            .set("group.id", "onlooker")
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

    /// Puts bytes into the topic that no publisher of ours would send.
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

    /// The offsets a group has committed, added up over all partitions.
    pub(super) fn committed(&self, group: &str) -> i64 {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.args.kafka_bootstrap_servers)
            .set("group.id", group)
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        all.add_partition_range(TOPIC, 0, PARTITIONS - 1);
        let committed = consumer.committed_offsets(all, Duration::from_secs(10)).unwrap();
        let offset = |offset| if let Offset::Offset(number) = offset { number } else { 0 };
        committed.elements().iter().map(|element| offset(element.offset())).sum()
    }

    pub(super) fn consumer(&self, group: &str, inbox: &Remembering) -> Running {
        self.patient_consumer(group, inbox, Duration::from_secs(1))
    }

    /// One that asks so long for an id that the registry does not know.
    pub(super) fn patient_consumer(
        &self,
        group: &str,
        inbox: &Remembering,
        patience: Duration,
    ) -> Running {
        let health = ConsumerHealth::default();
        let config = ConsumerConfig {
            cluster: self.way_in(),
            group: group.to_owned(),
            health: health.clone(),
        };
        let registry = Registry::new(&self.args, adapter_avro::SCHEMAS).unwrap();
        let decoder = EventDecoder::new(registry).with_patience(patience);
        let shutdown = CancellationToken::new();
        let (inbox, token) = (inbox.clone(), shutdown.clone());
        let task = tokio::spawn(async move { consume(config, decoder, &inbox, token).await });
        Running { health, shutdown, task }
    }
}

/// A consumer at work.
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

/// An inbox that remembers what it was told, and can be told to fail.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembering(Arc<Memory>);

#[derive(Debug, Default)]
struct Memory {
    taken: Mutex<Taken>,
    failures: AtomicUsize,
    failed: AtomicUsize,
}

#[derive(Debug, Default)]
struct Taken {
    events: HashSet<EventId>,
    repeats: usize,
    dead: Vec<DeadLetter>,
    largest: usize,
}

impl Remembering {
    /// Cannot be reached for the next so many calls.
    pub(super) fn fail(&self, times: usize) {
        self.0.failures.store(times, Ordering::SeqCst);
    }

    /// How many calls have failed.
    pub(super) fn failed(&self) -> usize {
        self.0.failed.load(Ordering::SeqCst)
    }

    pub(super) fn has(&self, events: &[OrderEvent]) -> bool {
        let taken = self.0.taken.lock().unwrap();
        events.iter().all(|event| taken.events.contains(&event.id))
    }

    pub(super) fn events(&self) -> usize {
        self.0.taken.lock().unwrap().events.len()
    }

    pub(super) fn repeats(&self) -> usize {
        self.0.taken.lock().unwrap().repeats
    }

    /// The most bytes of records that became dead letters in one call.
    pub(super) fn largest(&self) -> usize {
        self.0.taken.lock().unwrap().largest
    }

    pub(super) fn dead(&self) -> Vec<DeadLetter> {
        self.0.taken.lock().unwrap().dead.clone()
    }
}

impl Inbox for Remembering {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let less = |left: usize| left.checked_sub(1);
        if self.0.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.0.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("told to fail".into()));
        }
        let mut taken = self.0.taken.lock().unwrap();
        let mut intake = BatchOutcome { dead: dead.len() as u64, ..BatchOutcome::default() };
        for event in events {
            if taken.events.insert(event.event_id) {
                intake.applied += 1;
            } else {
                taken.repeats += 1;
                intake.repeated += 1;
            }
        }
        let bytes = dead.iter().map(|letter| letter.record.size()).sum();
        taken.largest = taken.largest.max(bytes);
        taken.dead.extend_from_slice(dead);
        Ok(intake)
    }
}

/// So many events, each the creation of an order of its own.
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
            note: None,
        };
        Order::place(new, clock::event_stamp()).recorded()[0].clone()
    };
    (0..count).map(order).collect()
}

/// An event as it lies in the outbox.
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

/// Waits until something is so.
pub(super) async fn eventually(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
