use std::net::SocketAddr;

use adapter_http::{Listener, bind, serve, site};
use adapter_kafka::{Cluster, ConsumerConfig, ConsumerHealth, EventDecoder, Registry, consume};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{ContextTables, Database, MigrationGate};
use application::dead_letters::Retry;
use application::event_format::EventSchemas;
use application::inbox::Inbox;
use application::published::Payload;
use runtime::{Check, StartError};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::ConsumerArgs;
use crate::command::consume_again;

/// What a service consumes.
#[derive(Debug)]
pub struct Subscription<'a, P> {
    /// The topic.
    pub topic: &'a str,
    /// The consumer group. Its members share the partitions of the topic.
    pub group: String,
    /// The schemas of the events.
    pub schemas: EventSchemas<P>,
    /// The commands that publish the events of the topic again, such as [`REPUBLISH_ORDERING`].
    /// Warnings about lost records name them.
    pub republish: &'static str,
}

/// What publishes the events of ordering again.
pub const REPUBLISH_ORDERING: &str =
    "`order-jobs reconcile --repair` or `order-jobs replay --since TIME`";

/// What publishes the events of the pharmacy again.
pub const REPUBLISH_PHARMACY: &str = "`pharmacy-order outbox replay --since TIME`";

/// A service that consumes events into the tables of its context and serves an HTTP API.
pub struct ConsumerService<P = Payload> {
    /// The database of the context.
    pub database: Database,
    /// Whether the tables are up to date.
    pub tables: MigrationGate,
    /// The client of the schema registry.
    pub registry: Registry,
    decoder: EventDecoder<P>,
    consumer: ConsumerConfig,
    listener: Listener,
    max_in_flight: u32,
}

impl<P: Send + Sync> ConsumerService<P> {
    /// A service of the context with these tables. It listens at once, and connects to Postgres and
    /// Kafka when it runs.
    ///
    /// # Errors
    /// When a setting is wrong or the address is in use.
    pub async fn new(
        args: &ConsumerArgs,
        tables: &'static ContextTables,
        http_addr: SocketAddr,
        subscription: Subscription<'_, P>,
    ) -> Result<Self, StartError> {
        let Subscription { topic, group, schemas, republish } = subscription;
        let cluster = Cluster::new(&args.kafka)?.with_topic(topic);
        let registry = Registry::new(&args.kafka)?;
        let database = Database::new(tables, &args.database, tables.program)?;
        let listener = bind(http_addr, "HTTP_ADDR").await?;
        Ok(Self {
            database,
            tables: MigrationGate::default(),
            decoder: EventDecoder::new(registry.clone(), schemas),
            registry,
            consumer: ConsumerConfig {
                cluster,
                group,
                health: ConsumerHealth::default(),
                republish,
            },
            listener: listener.max_connections(args.http.http_max_connections),
            max_in_flight: args.http.http_max_in_flight,
        })
    }

    /// The cluster, with the topic that this service consumes.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.consumer.cluster
    }

    /// Retries a dead letter in the same way as its record is consumed.
    pub fn consume_again<I: Inbox<P>>(&self, inbox: I) -> impl Retry<PgDeadLetters> + use<P, I> {
        consume_again(self.decoder.clone(), inbox)
    }

    /// Applies the events to `inbox`, serves `routes` and does the `work` of the context, until
    /// `shutdown` is cancelled. Then it finishes what is in progress and returns.
    ///
    /// The service is ready when its tables are up to date, it has joined its consumer group, and the
    /// `checks` of its work succeed. If a service that it needs is down, it waits for it. `work` begins when the tables are up to date,
    /// and must return when `shutdown` is cancelled.
    ///
    /// # Errors
    /// When the migrations fail, or Kafka refuses the settings.
    pub async fn run(
        self,
        routes: OpenApiRouter,
        checks: Vec<Check>,
        inbox: impl Inbox<P>,
        work: impl Future<Output = ()>,
        shutdown: CancellationToken,
    ) -> Result<(), StartError> {
        let Self { database, tables, decoder, consumer, listener, max_in_flight, .. } = self;
        let mut all_checks = vec![tables.check(&database), consumer.health.check()];
        all_checks.extend(checks);
        let site = site(routes, all_checks, max_in_flight)?;
        let consume = async {
            let prepare = tables.prepare(&database);
            let Some(prepared) = shutdown.run_until_cancelled(prepare).await else {
                return Ok(());
            };
            prepared?;
            let consume = async {
                consume(consumer, decoder, &inbox, shutdown.clone())
                    .await
                    .map_err(|error| StartError::other("cannot receive events", error))
            };
            let work = async {
                work.await;
                Ok(())
            };
            tokio::try_join!(consume, work).map(|((), ())| ())
        };
        // Boxed so that callers' futures stay small.
        tokio::try_join!(serve(listener, site, shutdown.clone()), Box::pin(consume))?;
        database.close().await;
        Ok(())
    }
}
