//! Example: a service stores a parcel and its event in one transaction, and a relay publishes it.
use adapter_kafka::{Cluster, KafkaPublisher, Registry};
use adapter_outbox::{MIGRATIONS, NewEvent, NewEvents, PgOutbox};
use adapter_postgres::{ContextTables, Database};
use application::event_format::PublishedSchema;
use application::relay::{Step, relay_step};
use serde_json::json;
use sqlx::types::Uuid;

static SENT: [PublishedSchema; 1] = [PublishedSchema {
    event_type: "ParcelSent",
    fullname: "shipping.ParcelSent",
    version: 1,
    json: r#"{"type": "record", "name": "shipping.ParcelSent", "fields": [{"name": "to", "type": "string"}]}"#,
    fingerprint: [1; 32],
}];
static TABLES: ContextTables =
    ContextTables { schema: "shipping", program: "parcels", migrations: &[MIGRATIONS] };

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let postgres = embedded_postgres::testing::fresh_database().await?.args();
    let kafka = embedded_kafka::EmbeddedKafka::start("parcels", 3)?;
    let registry = embedded_registry::testing::start(([127, 0, 0, 1], 0).into(), &postgres);
    let args = embedded_kafka::client_args(kafka.bootstrap_servers(), registry.await?, "parcels");

    // One schema has the tables of the service and of its outbox.
    let database = Database::new(&TABLES, &postgres, "parcels")?;
    database.migrate().await?;
    sqlx::query("CREATE TABLE parcels (id uuid PRIMARY KEY)").execute(database.pool()).await?;

    // One transaction: first the parcel, then its event. "\x08Rome" is {"to": "Rome"} in Avro.
    let parcel = Uuid::from_u128(1);
    let sent = NewEvent {
        id: Uuid::from_u128(2),
        aggregate_version: 1,
        event_type: "ParcelSent".into(),
        schema_fingerprint: SENT[0].fingerprint.into(),
        payload: b"\x08Rome".into(),
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    };
    let mut transaction = database.pool().begin().await?;
    sqlx::query("INSERT INTO parcels VALUES ($1)").bind(parcel).execute(&mut *transaction).await?;
    let events = NewEvents { aggregate_id: parcel, headers: json!({}), events: vec![sent] };
    events.append(&mut transaction).await?;
    transaction.commit().await?;

    // A relay does this in a loop. Any number of relays can run at the same time.
    let registry = Registry::new(&args)?;
    let publisher = KafkaPublisher::new(&Cluster::new(&args)?, registry, "/shipping", &SENT)?;
    let outbox = PgOutbox::new(&database, 1);
    let step = relay_step(&outbox, &publisher, 100, || (), PgOutbox::claim_clock).await?;
    assert_eq!(step, Step::Relayed { published: 1, unpublished: 0 });
    Ok(())
}
