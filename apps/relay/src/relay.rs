use std::future::ready;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, RegistryError};
use adapter_outbox::{ContextOutbox, PgBacklog, PgOutbox, Wakeups};
use adapter_postgres::Database;
use application::relay::MeasureBacklog;
use runtime::{Check, Outage, StartError, one_line};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::RelayArgs;
use crate::backlog_gauges;
use crate::guard::OutboxGuard;
use crate::halt::Halt;
use crate::topic_watch::TopicWatch;
use crate::worker::{self, RelayOutages, Worker};

/// How often to check, during an outage of Kafka, whether it has ended.
const OUTAGE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long to wait before checking again whether the topic exists, or the registry answers.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The relay of a program: publishes the events of one outbox to one topic.
///
/// A service that is down is not an error: the relay waits for it.
pub struct Relay {
    publisher: Arc<KafkaPublisher>,
    database: Database,
    outbox: &'static ContextOutbox,
    args: RelayArgs,
    topic: TopicWatch,
    outages: RelayOutages,
    registry: Outage,
    halt: Halt,
}

impl Relay {
    /// A relay from this outbox to the topic of the cluster. The publisher has the same topic.
    ///
    /// # Errors
    /// When Kafka refuses the settings.
    pub fn new(
        cluster: &Cluster,
        publisher: KafkaPublisher,
        database: &Database,
        outbox: &'static ContextOutbox,
        args: &RelayArgs,
    ) -> Result<Self, StartError> {
        let halt = Halt::of(database.schema());
        let topic = TopicWatch::new(cluster, database, outbox, args, &halt)?;
        Ok(Self {
            publisher: Arc::new(publisher),
            database: database.clone(),
            outbox,
            args: args.clone(),
            topic,
            // Nothing can be published before the topic was found, so Kafka counts as not reached
            // until then.
            outages: RelayOutages {
                kafka: Outage::initially_on("Kafka"),
                outbox: Outage::of("the outbox"),
            },
            registry: Outage::initially_on("the schema registry"),
            halt,
        })
    }

    /// The readiness checks: `kafka`, `registry`, `outbox` and `publishing`.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let warnings = self.topic.warnings().clone();
        vec![
            check("kafka", &self.outages.kafka).with_warning(move || warnings.text()),
            check("registry", &self.registry),
            check("outbox", &self.outages.outbox),
            self.halt.check(),
        ]
    }

    /// Publishes events and updates the gauges of the backlog until `shutdown` is cancelled. Then it
    /// finishes the batches it has begun and returns.
    ///
    /// The tables must be up to date.
    pub async fn run(self, shutdown: &CancellationToken) {
        worker::describe();
        let gauges = shutdown.run_until_cancelled(backlog_gauges::keep_updating(&self.database));
        let publish = async {
            let prepared = async { tokio::join!(self.prepare_schemas(), self.prepare_topic()) };
            if shutdown.run_until_cancelled(prepared).await.is_some() {
                self.publish(shutdown).await;
            }
        };
        // Boxed so that callers' futures stay small.
        tokio::join!(gauges, Box::pin(publish));
    }

    /// Waits until the registry has given ids to the schemas of the events, or refuses to.
    ///
    /// If it refuses a schema, the events of the other types can be published.
    async fn prepare_schemas(&self) {
        while let Err(error) = self.publisher.register_schemas().await {
            if let RegistryError::Refused { .. } = error {
                tracing::warn!("{}", one_line(&error));
                break;
            }
            self.registry.report_failure(&one_line(&error));
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        self.registry.report_success();
    }

    /// Waits until the topic exists and has been checked.
    async fn prepare_topic(&self) {
        while let Err(error) = self.topic.prepare().await {
            self.outages.kafka.report_failure(&error);
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        self.outages.kafka.report_success();
    }

    /// Waits for the first check of the outbox, then runs the workers.
    async fn publish(&self, shutdown: &CancellationToken) {
        let Self { database, args, outages, halt, .. } = self;
        let guard = OutboxGuard::new(database, self.outbox, args, halt, &outages.outbox);
        if shutdown.run_until_cancelled(Box::pin(guard.first_check())).await.is_none() {
            return;
        }
        let outbox = PgOutbox::new(database, args.relay_workers);
        let wakeups = Wakeups::listen(database);
        let mut workers = JoinSet::new();
        for _ in 0..args.relay_workers {
            let worker = Worker {
                outbox: outbox.clone(),
                publisher: self.publisher.clone(),
                schema: database.schema(),
                batch: args.relay_batch as usize,
                wakeups: wakeups.clone(),
                poll: args.relay_poll,
                outages: outages.clone(),
                halt: halt.clone(),
            };
            workers.spawn(worker.run(shutdown.clone()));
        }
        let working = async {
            while let Some(ended) = workers.join_next().await {
                // Ends the program: without its workers, it would run and do nothing.
                if let Err(panicked) = ended {
                    resume_unwind(panicked.into_panic());
                }
            }
        };
        tokio::select! {
            () = working => {}
            () = self.end_kafka_outage() => {}
            () = guard.keep_checking() => {}
            () = self.topic.watch(args.relay_check) => {}
        }
        outbox.close().await;
    }

    /// Ends an outage of Kafka or the registry if nothing is left to publish.
    ///
    /// Other relays may have published everything; the workers here then do not notice that the outage
    /// is over. If only the registry is still down, the next event begins an outage again.
    async fn end_kafka_outage(&self) {
        let (outage, backlog) = (&self.outages.kafka, PgBacklog::new(&self.database));
        loop {
            tokio::time::sleep(OUTAGE_CHECK_INTERVAL).await;
            if outage.is_on()
                && backlog.measure().await.is_ok_and(|backlog| backlog.is_published())
                && self.topic.is_there().await
            {
                outage.report_success();
            }
        }
    }
}

/// The readiness check for a service that the relay needs.
fn check(name: &'static str, outage: &Outage) -> Check {
    let outage = outage.clone();
    Check::new(name, move || {
        ready(if outage.is_on() { Err(format!("{name} cannot be reached")) } else { Ok(()) })
    })
}
