use adapter_postgres::PgError;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::Uuid;
use sqlx::{PgConnection, Postgres};

use super::Lane;

/// The part of an SQL statement that appends the events of one aggregate to the outbox.
///
/// It is a common table expression, `appended AS (INSERT …)`. It appends the events if the common
/// table expression `written` returns a row. [`NewEvents::bind`] binds its parameters, `$1` to
/// `$10`.
///
/// `written` MUST insert or update the row of the aggregate. Then the transaction has an id before
/// it takes a position, and it holds this row locked until it ends. The proof in `outbox.rs` needs
/// both.
#[macro_export]
macro_rules! append_events {
    () => {
        "appended AS (
    INSERT INTO outbox
        (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint,
         payload, headers, occurred_at)
    SELECT $1::smallint, nextval($2::text::regclass), event_id, $3::uuid, aggregate_version,
           event_type, schema_fingerprint, payload, $4::jsonb, occurred_at
    FROM (
        SELECT event.*
        FROM written CROSS JOIN
             unnest($5::uuid[], $6::bigint[], $7::text[], $8::bytea[], $9::bytea[],
                    $10::timestamptz[])
             AS event (event_id, aggregate_version, event_type, schema_fingerprint, payload,
                       occurred_at)
        ORDER BY aggregate_version
    ) AS event
)"
    };
}

/// New events of one aggregate.
#[derive(Debug)]
pub struct NewEvents {
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// Headers of each Kafka record: a JSON object whose values are strings.
    pub headers: serde_json::Value,
    /// The events, oldest first.
    pub events: Vec<NewEvent>,
}

/// An event to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id of the event. It is the same in every delivery.
    pub id: Uuid,
    /// The version of the aggregate after the event.
    pub aggregate_version: i64,
    /// Its type, such as `OrderCreated`.
    pub event_type: String,
    /// The fingerprint of the schema that the payload was encoded with.
    pub schema_fingerprint: Vec<u8>,
    /// The encoded event.
    pub payload: Vec<u8>,
    /// When the event happened.
    pub occurred_at: DateTime<Utc>,
}

impl NewEvents {
    /// The lane of the events.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::of(self.aggregate_id)
    }

    /// Binds `$1` to `$10` of [`append_events!`](crate::append_events).
    pub fn bind<'q>(
        &'q self,
        query: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        let events = || self.events.iter();
        query
            .bind(self.lane().get())
            .bind(self.lane().sequence())
            .bind(self.aggregate_id)
            .bind(&self.headers)
            .bind(events().map(|event| event.id).collect::<Vec<_>>())
            .bind(events().map(|event| event.aggregate_version).collect::<Vec<_>>())
            .bind(events().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
            .bind(events().map(|event| event.schema_fingerprint.as_slice()).collect::<Vec<_>>())
            .bind(events().map(|event| event.payload.as_slice()).collect::<Vec<_>>())
            .bind(events().map(|event| event.occurred_at).collect::<Vec<_>>())
    }

    /// Appends the events in the transaction of this connection.
    ///
    /// The transaction MUST hold the row of the aggregate locked, so that a higher version has a
    /// higher position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, connection: &mut PgConnection) -> Result<(), PgError> {
        // `pg_current_xact_id` assigns the transaction id before a position is taken.
        const APPEND: &str = concat!(
            "WITH written AS MATERIALIZED (SELECT pg_current_xact_id()), ",
            append_events!(),
            " SELECT FROM written"
        );
        self.bind(sqlx::query(APPEND)).execute(connection).await?;
        Ok(())
    }
}
