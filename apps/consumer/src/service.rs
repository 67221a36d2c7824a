use std::net::SocketAddr;

use adapter_http::{Listener, bind, serve, site};
use adapter_kafka::{Cluster, ConsumerConfig, ConsumerHealth, EventDecoder, Registry, consume};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{ContextTables, Database, MigrationGate};
use application::dead_letters::Retry;
use application::inbox::Inbox;
use runtime::StartError;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::ConsumerArgs;
use crate::command::consume_again;

/// A service that consumes events into the tables of its context and serves an HTTP API.
pub struct ConsumerService {
    /// The database of the context.
    pub database: Database,
    /// Whether the tables are up to date.
    pub tables: MigrationGate,
    decoder: EventDecoder,
    consumer: ConsumerConfig,
    listener: Listener,
    max_in_flight: u32,
}

impl ConsumerService {
    /// A service of the context with these tables. It listens at once, and connects to Postgres and
    /// Kafka when it runs.
    ///
    /// # Errors
    /// When a setting is wrong or the address is in use.
    pub async fn new(
        args: &ConsumerArgs,
        tables: &'static ContextTables,
        http_addr: SocketAddr,
        group: String,
    ) -> Result<Self, StartError> {
        let cluster = Cluster::new(&args.kafka)?;
        let registry = Registry::new(&args.kafka, adapter_avro::SCHEMAS)?;
        let database = Database::new(tables, &args.database, tables.program)?;
        let listener = bind(http_addr, "HTTP_ADDR").await?;
        Ok(Self {
            database,
            tables: MigrationGate::default(),
            decoder: EventDecoder::new(registry),
            consumer: ConsumerConfig { cluster, group, health: ConsumerHealth::default() },
            listener: listener.max_connections(args.http.http_max_connections),
            max_in_flight: args.http.http_max_in_flight,
        })
    }

    /// Retries a dead letter in the same way as its record is consumed.
    pub fn consume_again<I: Inbox>(&self, inbox: I) -> impl Retry<PgDeadLetters> + use<I> {
        consume_again(self.decoder.clone(), inbox)
    }

    /// Applies the events to `inbox`, serves `routes` and does the `work` of the context, until
    /// `shutdown` is cancelled. Then it finishes what is in progress and returns.
    ///
    /// The service is ready when its tables are up to date and it has joined its consumer group. If a
    /// service that it needs is down, it waits for it. `work` begins when the tables are up to date,
    /// and must return when `shutdown` is cancelled.
    ///
    /// # Errors
    /// When the migrations fail, or Kafka refuses the settings.
    pub async fn run(
        self,
        routes: OpenApiRouter,
        inbox: impl Inbox,
        work: impl Future<Output = ()>,
        shutdown: CancellationToken,
    ) -> Result<(), StartError> {
        let Self { database, tables, decoder, consumer, listener, max_in_flight } = self;
        let checks = vec![tables.check(&database), consumer.health.check()];
        let site = site(routes, checks, max_in_flight)?;
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
