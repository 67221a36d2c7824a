use adapter_postgres::PgError;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::Uuid;
use sqlx::{PgConnection, Postgres};

use super::Lane;

/// The part of a statement that appends the events of one aggregate to the outbox, if the common table
/// expression `written` has a row: `appended AS (INSERT …)`. Its parameters are `$1` to `$10`, which
/// [`NewEvents::bind`] binds.
///
/// `written` MUST have changed or inserted the row of the aggregate, so that the transaction has an id
/// before it takes a position, and holds that row until it ends. Both are what the proof in
/// `outbox.rs` rests on.
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
    /// Headers that go along with each event: an object of texts.
    pub headers: serde_json::Value,
    /// The events, oldest first.
    pub events: Vec<NewEvent>,
}

/// One event.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id, which is the same on every delivery.
    pub id: Uuid,
    /// The version of the aggregate after the event.
    pub aggregate_version: i64,
    /// Its type, such as `OrderCreated`.
    pub event_type: String,
    /// Names the schema that the payload was written with.
    pub schema_fingerprint: Vec<u8>,
    /// The event as bytes.
    pub payload: Vec<u8>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

impl NewEvents {
    /// The lane that takes them.
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

    /// Appends the events in the transaction of this connection, which MUST hold the row of the
    /// aggregate locked: so positions ascend with versions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, connection: &mut PgConnection) -> Result<(), PgError> {
        // Gives the transaction its id before it takes a position.
        const APPEND: &str = concat!(
            "WITH written AS MATERIALIZED (SELECT pg_current_xact_id()), ",
            append_events!(),
            " SELECT FROM written"
        );
        self.bind(sqlx::query(APPEND)).execute(connection).await?;
        Ok(())
    }
}
