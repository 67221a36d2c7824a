use adapter_postgres::PgError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Uuid;

use super::Lane;

/// A statement, as of `sqlx::query!`, that appends the events of one aggregate to the outbox.
///
/// It takes the text before and after the common table expression `appended AS (INSERT …)`, the
/// [`NewEvents`], and the arguments of the text, which are `$11` and so on. `$1` to `$10` are those
/// of the events; `$3` is the id of the aggregate. The events are appended if the common table
/// expression `written` of the text returns a row.
///
/// `written` MUST insert or update the row of the aggregate. Then the transaction has an id before
/// it takes a position, and it holds this row locked until it ends. The proof in `outbox.rs` needs
/// both.
#[macro_export]
macro_rules! query_appending {
    ($before:literal, $after:literal, $events:expr $(, $argument:expr)* $(,)?) => {{
        let $crate::EventColumns {
            lane,
            sequence,
            aggregate_id,
            headers,
            ids,
            versions,
            event_types,
            schema_fingerprints,
            payloads,
            occurred_at,
        } = $events.columns();
        ::sqlx::query!(
            $before
                + "appended AS (
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
)" + $after,
            lane,
            sequence,
            aggregate_id,
            headers,
            &ids[..],
            &versions[..],
            &event_types[..] as _,
            &schema_fingerprints[..] as _,
            &payloads[..] as _,
            &occurred_at[..],
            $($argument),*
        )
    }};
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

/// The arguments `$1` to `$10` of [`query_appending!`](crate::query_appending): one value for all
/// events, or one value for each event.
#[doc(hidden)]
#[derive(Debug)]
pub struct EventColumns<'a> {
    pub lane: i16,
    pub sequence: String,
    pub aggregate_id: Uuid,
    pub headers: &'a serde_json::Value,
    pub ids: Vec<Uuid>,
    pub versions: Vec<i64>,
    pub event_types: Vec<&'a str>,
    pub schema_fingerprints: Vec<&'a [u8]>,
    pub payloads: Vec<&'a [u8]>,
    pub occurred_at: Vec<DateTime<Utc>>,
}

impl NewEvents {
    /// The lane of the events.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::of(self.aggregate_id)
    }

    #[doc(hidden)]
    #[must_use]
    pub fn columns(&self) -> EventColumns<'_> {
        let Self { aggregate_id, headers, events } = self;
        let mut columns = EventColumns {
            lane: self.lane().get(),
            sequence: self.lane().sequence(),
            aggregate_id: *aggregate_id,
            headers,
            ids: Vec::with_capacity(events.len()),
            versions: Vec::with_capacity(events.len()),
            event_types: Vec::with_capacity(events.len()),
            schema_fingerprints: Vec::with_capacity(events.len()),
            payloads: Vec::with_capacity(events.len()),
            occurred_at: Vec::with_capacity(events.len()),
        };
        for event in events {
            let NewEvent {
                id,
                aggregate_version,
                event_type,
                schema_fingerprint,
                payload,
                occurred_at,
            } = event;
            columns.ids.push(*id);
            columns.versions.push(*aggregate_version);
            columns.event_types.push(event_type);
            columns.schema_fingerprints.push(schema_fingerprint);
            columns.payloads.push(payload);
            columns.occurred_at.push(*occurred_at);
        }
        columns
    }

    /// Appends the events in the transaction of this connection.
    ///
    /// The transaction MUST hold the row of the aggregate locked, so that a higher version has a
    /// higher position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, connection: &mut PgConnection) -> Result<(), PgError> {
        // `pg_current_xact_id` makes sure that the transaction has an id before it takes a position.
        let append = query_appending!(
            "WITH written AS MATERIALIZED (SELECT pg_current_xact_id()), ",
            " SELECT FROM written",
            self
        );
        append.execute(connection).await?;
        Ok(())
    }
}
