use adapter_postgres::PgError;
use application::event_format::EncodedEvent;
use chrono::{DateTime, Utc};
use domain::{EventId, Timestamp};
use runtime::trace_context::TraceParent;
use sqlx::PgConnection;
use sqlx::types::{Json, Uuid};

use super::Lane;

/// A statement, as of `sqlx::query!`, that appends events to the outbox.
///
/// It takes the text before and after the common table expression `appended AS (INSERT …)`, the
/// [`NewEvents`] of the aggregates as an iterator of references, and the arguments of the text, which
/// are `$10` and so on. `$1` to `$9` are those of the events. The events of an aggregate are appended
/// if the common table expression `written (aggregate_id)` of the text returns its id.
///
/// `written` MUST insert or update the rows of the aggregates. Then the transaction has an id before
/// it takes a position, and it holds these rows locked until it ends. The proof in `outbox.rs` needs
/// both.
#[macro_export]
macro_rules! query_appending {
    ($before:literal, $after:literal, $events:expr $(, $argument:expr)* $(,)?) => {{
        let $crate::EventColumns {
            lanes,
            aggregate_ids,
            headers,
            ids,
            versions,
            event_types,
            schema_fingerprints,
            payloads,
            occurred_at,
        } = $crate::EventColumns::of($events);
        ::sqlx::query!(
            $before
                + "appended AS (
    INSERT INTO outbox
        (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint,
         payload, headers, occurred_at)
    SELECT lane, nextval(('outbox_lane_' || lane)::regclass), event_id, aggregate_id,
           aggregate_version, event_type, schema_fingerprint, payload, headers, occurred_at
    FROM (
        SELECT event.*
        FROM written
        JOIN unnest($1::smallint[], $2::uuid[], $3::jsonb[], $4::uuid[], $5::bigint[], $6::text[],
                    $7::bytea[], $8::bytea[], $9::timestamptz[])
             AS event (lane, aggregate_id, headers, event_id, aggregate_version, event_type,
                       schema_fingerprint, payload, occurred_at) USING (aggregate_id)
        ORDER BY aggregate_version
    ) AS event
)" + $after,
            &lanes[..],
            &aggregate_ids[..],
            &headers[..] as _,
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

impl NewEvent {
    /// The event of an aggregate, with this version, as its context encodes it.
    #[must_use]
    pub fn new(
        id: EventId,
        aggregate_version: i64,
        occurred_at: Timestamp,
        encoded: EncodedEvent,
    ) -> Self {
        Self {
            id: id.get(),
            aggregate_version,
            event_type: encoded.event_type.to_owned(),
            schema_fingerprint: encoded.schema_fingerprint.to_vec(),
            payload: encoded.payload,
            occurred_at: occurred_at.get(),
        }
    }
}

/// The arguments `$1` to `$9` of [`query_appending!`](crate::query_appending), with one value for each
/// event.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct EventColumns<'a> {
    pub lanes: Vec<i16>,
    pub aggregate_ids: Vec<Uuid>,
    pub headers: Vec<Json<&'a serde_json::Value>>,
    pub ids: Vec<Uuid>,
    pub versions: Vec<i64>,
    pub event_types: Vec<&'a str>,
    pub schema_fingerprints: Vec<&'a [u8]>,
    pub payloads: Vec<&'a [u8]>,
    pub occurred_at: Vec<DateTime<Utc>>,
}

impl<'a> EventColumns<'a> {
    #[must_use]
    pub fn of(aggregates: impl IntoIterator<Item = &'a NewEvents>) -> Self {
        let mut columns = Self::default();
        for aggregate in aggregates {
            for event in &aggregate.events {
                let NewEvent {
                    id,
                    aggregate_version,
                    event_type,
                    schema_fingerprint,
                    payload,
                    occurred_at,
                } = event;
                columns.lanes.push(aggregate.lane().get());
                columns.aggregate_ids.push(aggregate.aggregate_id);
                columns.headers.push(Json(&aggregate.headers));
                columns.ids.push(*id);
                columns.versions.push(*aggregate_version);
                columns.event_types.push(event_type);
                columns.schema_fingerprints.push(schema_fingerprint);
                columns.payloads.push(payload);
                columns.occurred_at.push(*occurred_at);
            }
        }
        columns
    }
}

impl NewEvents {
    /// Events of this aggregate, oldest first. Their records carry the current trace.
    #[must_use]
    pub fn new(aggregate_id: Uuid, events: Vec<NewEvent>) -> Self {
        let headers = match TraceParent::current() {
            Some(trace) => serde_json::json!({ "traceparent": trace.to_string() }),
            None => serde_json::json!({}),
        };
        Self { aggregate_id, headers, events }
    }

    /// The lane of the events.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::of(self.aggregate_id)
    }

    /// Appends the events in the transaction of this connection, as [`Self::append_all`] does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, connection: &mut PgConnection) -> Result<(), PgError> {
        Self::append_all([self], connection).await
    }

    /// Appends the events of these aggregates in the transaction of this connection.
    ///
    /// The transaction MUST hold the rows of the aggregates locked, so that a higher version has a
    /// higher position.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append_all(
        aggregates: impl IntoIterator<Item = &Self>,
        connection: &mut PgConnection,
    ) -> Result<(), PgError> {
        // `pg_current_xact_id` makes sure that the transaction has an id before it takes a position.
        let append = query_appending!(
            "WITH written AS MATERIALIZED (
                 SELECT DISTINCT unnest($2::uuid[]) AS aggregate_id FROM pg_current_xact_id()
             ), ",
            " SELECT FROM written",
            aggregates
        );
        append.execute(connection).await?;
        Ok(())
    }
}
