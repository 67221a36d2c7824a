use std::path::{Path, PathBuf};

use adapter_kafka::PARTITIONS;
use adapter_ordering as ordering;
use adapter_outbox::PgReplay;
use adapter_pharmacy as pharmacy;
use adapter_postgres::Database;
use adapter_webhook::SecretsKey;
use application::relay::Replay;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::default_home;
use embedded_postgres::{EmbeddedPostgres, PostgresSettings};
use embedded_registry as registry;
use notification::{MailArgs, WebhookArgs};
use runtime::StartError;
use runtime::config::{DatabaseArgs, KafkaArgs, PharmacyTopicArgs, Secret, secret};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::SystemArgs;
use crate::embedded_mail::EmbeddedMail;
use crate::ports::Ports;

/// The name of the database in the embedded Postgres.
const DATABASE: &str = "orders";

/// The file in the data folder with the key that encrypts the secrets of webhooks.
const WEBHOOK_KEY: &str = "webhook-key";

/// The Postgres, the Kafka cluster, the schema registry and the mail server that the four services use.
/// Each is either embedded or external.
pub(crate) struct BackingServices {
    home: PathBuf,
    args: SystemArgs,
    database_url: Secret,
    kafka: String,
    schema_registry: String,
    webhook_key: Option<PathBuf>,
    // In the sequence in which they are stopped.
    embedded_mail: Option<EmbeddedMail>,
    embedded_registry: Option<EmbeddedRegistry>,
    embedded_kafka: Option<EmbeddedKafka>,
    embedded_postgres: Option<EmbeddedPostgres>,
}

struct EmbeddedRegistry {
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
    database: Database,
}

impl BackingServices {
    /// Starts the embedded ones: those that no environment variable names.
    pub(crate) async fn start(args: &SystemArgs, ports: &Ports) -> Result<Self, StartError> {
        let home = args.data_dir.clone().unwrap_or_else(default_home);
        let database_url = secret(
            ("DATABASE_URL", args.database_url.as_ref()),
            ("DATABASE_URL_FILE", args.database_url_file.as_deref()),
        )?;
        let (embedded_postgres, database_url) = if let Some(url) = database_url {
            (None, url)
        } else {
            let settings = PostgresSettings { home: home.clone(), keep: true };
            let postgres = EmbeddedPostgres::start(&settings).await?;
            postgres.create_database(DATABASE).await?;
            let url = postgres.url(DATABASE);
            (Some(postgres), url.into())
        };
        let mut started = Self {
            home,
            args: args.clone(),
            database_url,
            kafka: String::new(),
            schema_registry: String::new(),
            webhook_key: None,
            embedded_mail: None,
            embedded_registry: None,
            embedded_kafka: None,
            embedded_postgres,
        };
        started.start_kafka(args).await?;
        started.start_registry(args, ports).await?;
        if args.outgoing.embeds_mail_server() {
            started.embedded_mail = Some(EmbeddedMail::start(args).await?);
        }
        if started.has_embedded_postgres() && !args.outgoing.names_webhook_key() {
            started.webhook_key = Some(webhook_key(&started.home)?);
        }
        Ok(started)
    }

    async fn start_kafka(&mut self, args: &SystemArgs) -> Result<(), StartError> {
        if let Some(servers) = &args.kafka_bootstrap_servers {
            self.kafka.clone_from(servers);
            return Ok(());
        }
        let kafka = EmbeddedKafka::start(&args.kafka_topic, PARTITIONS)?;
        self.kafka = kafka.bootstrap_servers();
        kafka.create_topic(&args.pharmacy_topic.kafka_pharmacy_topic, PARTITIONS)?;
        self.embedded_kafka = Some(kafka);
        // The embedded Kafka loses its records at a restart, so all events in the outboxes are
        // published again. Consumers skip those that they have already applied.
        for tables in [&ordering::TABLES, &pharmacy::TABLES] {
            let database = Database::new(tables, &self.database(2), "orders-replay")?;
            database
                .migrate()
                .await
                .map_err(|error| StartError::other("cannot prepare the database", error))?;
            PgReplay::new(&database)
                .rewind(None)
                .await
                .map_err(|error| StartError::other("cannot replay the outbox", error))?;
            database.close().await;
        }
        Ok(())
    }

    async fn start_registry(&mut self, args: &SystemArgs, ports: &Ports) -> Result<(), StartError> {
        if let Some(url) = &args.schema_registry_url {
            self.schema_registry.clone_from(url);
            return Ok(());
        }
        let listener = adapter_http::bind(ports.registry, "ORDERS_PORT").await?;
        let database = Database::new(&registry::TABLES, &self.database(4), "schema-registry")?;
        let router = registry::router(&database).await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(adapter_http::serve(listener, router, stop.clone()));
        self.schema_registry = format!("http://{}", ports.registry);
        self.embedded_registry = Some(EmbeddedRegistry { stop, task, database });
        Ok(())
    }

    /// How to send letters.
    pub(crate) fn mail(&self) -> MailArgs {
        self.args.outgoing.mail(self.embedded_mail.as_ref().map(EmbeddedMail::smtp_url))
    }

    /// The web page with the letters, if the mail server is embedded.
    pub(crate) fn letters(&self) -> Option<String> {
        self.embedded_mail.as_ref().map(EmbeddedMail::page)
    }

    /// Whether webhooks can be created.
    pub(crate) fn has_webhook_key(&self) -> bool {
        self.webhook_key.is_some() || self.args.outgoing.names_webhook_key()
    }

    /// How to call webhooks.
    pub(crate) fn webhooks(&self) -> WebhookArgs {
        self.args.outgoing.webhooks(self.webhook_key.clone(), self.args.host)
    }

    /// The folder of the embedded data.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Waits until the embedded Postgres ends although nobody has stopped it.
    pub(crate) async fn ended(&mut self) -> StartError {
        match &mut self.embedded_postgres {
            Some(postgres) => postgres.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Whether Postgres is embedded, so that the folder is in use.
    pub(crate) const fn has_embedded_postgres(&self) -> bool {
        self.embedded_postgres.is_some()
    }

    /// The address of the database, to be displayed. Without the password of an external database.
    pub(crate) fn displayed_database(&self) -> String {
        match self.embedded_postgres {
            Some(_) => self.database_url.reveal().to_owned(),
            None => "external, see DATABASE_URL".to_owned(),
        }
    }

    /// The settings of a service that uses the database.
    pub(crate) fn database(&self, connections: u32) -> DatabaseArgs {
        DatabaseArgs::at(self.database_url.clone(), connections)
    }

    /// The settings of a service that uses Kafka.
    pub(crate) fn kafka(&self) -> KafkaArgs {
        self.args.kafka(&self.kafka, &self.schema_registry)
    }

    /// The topic of the pharmacy's events.
    pub(crate) fn pharmacy_topic(&self) -> PharmacyTopicArgs {
        self.args.pharmacy_topic.clone()
    }

    /// The number of replicas of a topic. The embedded Kafka has one on each broker.
    pub(crate) fn topic_replication(&self) -> u16 {
        match self.embedded_kafka {
            Some(_) => EmbeddedKafka::BROKERS,
            None => self.args.kafka_topic_replication,
        }
    }

    /// Stops the embedded ones. The registry first and Postgres last, because the registry uses it.
    pub(crate) async fn stop(self) {
        if let Some(mail) = self.embedded_mail {
            mail.stop().await;
        }
        if let Some(registry) = self.embedded_registry {
            registry.stop.cancel();
            let _ = registry.task.await;
            registry.database.close().await;
        }
        drop(self.embedded_kafka);
        if let Some(postgres) = self.embedded_postgres {
            postgres.stop().await;
        }
    }
}

/// The file with the key that encrypts the secrets of webhooks. Creates it at the first start. It is
/// beside the database with these secrets, because they are lost without it.
fn webhook_key(home: &Path) -> Result<PathBuf, StartError> {
    let file = home.join(WEBHOOK_KEY);
    if !file.exists() {
        SecretsKey::create(&file).map_err(|error| {
            StartError::other(format!("cannot create the key in {}", file.display()), error)
        })?;
    }
    Ok(file)
}
