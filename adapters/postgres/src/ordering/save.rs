//! The one statement that saves an order: whole or not at all, without a round trip in between.

use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::Cause;
use chrono::{DateTime, Utc};
use domain::ordering::{Order, OrderEvent};
use runtime::trace_context::TraceParent;
use sqlx::types::{Json, Uuid};
use sqlx::{PgConnection, Row};

use super::lane::Lane;
use super::order_row::OrderRow;
use crate::PgError;

/// Claims the cause, writes the order, appends its events; each step only if the one before it did
/// its work.
///
/// `claimed` waits for another transaction that is answering the same cause. `nextval` runs once
/// `written` has returned its row: by then this transaction has its id, on which the outbox's proof
/// rests, and holds the order's row until it ends, so that positions of one order ascend with its
/// versions. If the order turns out to have changed, `refuse_changed_order` undoes the claim.
///
/// What was ordered never changes, so an update leaves it alone.
const SAVE: &str = "
WITH claimed AS (
    INSERT INTO ordering.causes (kind, key, fingerprint, answer)
    SELECT $1::text, $2::text, $3::uuid, $4::jsonb WHERE $1 IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING 1
), inserted AS (
    INSERT INTO ordering.orders
        (id, customer_name, items, note, status, version, created_at, cancel_reason, cancelled_at)
    SELECT $5::uuid, $6::text, $7::jsonb, $8::text, $9::text, $10::bigint, $11::timestamptz,
           $12::text, $13::timestamptz
    WHERE $14::bigint IS NULL AND ($1 IS NULL OR EXISTS (SELECT FROM claimed))
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
), updated AS (
    UPDATE ordering.orders
    SET status = $9, version = $10, cancel_reason = $12, cancelled_at = $13
    WHERE id = $5 AND version = $14 AND ($1 IS NULL OR EXISTS (SELECT FROM claimed))
    RETURNING 1
), written AS (
    SELECT FROM inserted UNION ALL SELECT FROM updated
), appended AS (
    INSERT INTO ordering.outbox
        (lane, position, event_id, order_id, order_version, event_type, schema_fingerprint,
         payload, headers, occurred_at)
    SELECT $15::smallint, nextval($16::text::regclass), event_id, $5, order_version, event_type,
           schema_fingerprint, payload, $17::jsonb, occurred_at
    FROM (
        SELECT event.*
        FROM written CROSS JOIN
             unnest($18::uuid[], $19::bigint[], $20::text[], $21::bytea[], $22::bytea[],
                    $23::timestamptz[])
             AS event (event_id, order_version, event_type, schema_fingerprint, payload,
                       occurred_at)
        ORDER BY order_version
    ) AS event
)
SELECT CASE WHEN EXISTS (SELECT FROM written) THEN 'written'
            WHEN EXISTS (SELECT FROM claimed) THEN ordering.refuse_changed_order()::text
            WHEN $1 IS NOT NULL THEN 'answered before'
            ELSE 'changed'
       END AS outcome";

/// SQLSTATE of `ordering.refuse_changed_order`.
const CHANGED: &str = "OR001";

/// What a save did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// The order and its events are written.
    Written,
    /// The cause was answered before; nothing was written.
    AnsweredBefore,
    /// The order is not at the version it was read at; nothing was written.
    Changed,
}

/// Everything a save binds, ready before a connection is taken.
#[derive(Debug)]
pub(super) struct Save {
    cause: Option<(&'static str, String, Option<Uuid>)>,
    pub(super) order: OrderRow,
    pub(super) stored_version: Option<i64>,
    pub(super) lane: Lane,
    headers: serde_json::Value,
    pub(super) events: EventColumns,
}

/// The order's new events, a column of the outbox each.
#[derive(Debug, Default)]
pub(super) struct EventColumns {
    pub(super) ids: Vec<Uuid>,
    pub(super) versions: Vec<i64>,
    pub(super) types: Vec<&'static str>,
    pub(super) fingerprints: Vec<Vec<u8>>,
    pub(super) payloads: Vec<Vec<u8>>,
    pub(super) occurred_at: Vec<DateTime<Utc>>,
}

impl Save {
    /// The save of an order, its recorded events encoded.
    ///
    /// # Errors
    /// When an event cannot be encoded: better no order than one nobody is told about.
    pub(super) fn of(
        order: &Order,
        cause: &Cause,
        encode: EncodeEvent,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            cause: cause_key(cause),
            order: OrderRow::from(order.snapshot()),
            stored_version: order.stored_version().map(domain::OrderVersion::get),
            lane: Lane::of(order.id()),
            headers: headers(),
            events: EventColumns::of(order.recorded(), encode)?,
        })
    }

    /// Runs the statement, in its own transaction unless the connection is in one.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<Write, PgError> {
        let (kind, key, fingerprint) = match &self.cause {
            Some((kind, key, fingerprint)) => (Some(*kind), Some(key), *fingerprint),
            None => (None, None, None),
        };
        let answer = kind.map(|_| Json(&self.order));
        let Self { order, events, .. } = self;
        let outcome = sqlx::query(SAVE)
            .bind(kind)
            .bind(key)
            .bind(fingerprint)
            .bind(answer)
            .bind(order.id)
            .bind(&order.customer_name)
            .bind(&order.items)
            .bind(&order.note)
            .bind(&order.status)
            .bind(order.version)
            .bind(order.created_at)
            .bind(&order.cancel_reason)
            .bind(order.cancelled_at)
            .bind(self.stored_version)
            .bind(self.lane.get())
            .bind(self.lane.sequence())
            .bind(&self.headers)
            .bind(&events.ids)
            .bind(&events.versions)
            .bind(&events.types)
            .bind(&events.fingerprints)
            .bind(&events.payloads)
            .bind(&events.occurred_at)
            .fetch_one(connection)
            .await
            .and_then(|row| row.try_get::<String, _>("outcome"));
        match outcome {
            Ok(outcome) if outcome == "written" => Ok(Write::Written),
            Ok(outcome) if outcome == "answered before" => Ok(Write::AnsweredBefore),
            Ok(_) => Ok(Write::Changed),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(CHANGED) => {
                Ok(Write::Changed)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl EventColumns {
    fn of(events: &[OrderEvent], encode: EncodeEvent) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for event in events {
            let encoded = encode(event).map_err(StoreError::Broken)?;
            columns.ids.push(event.id.get());
            columns.versions.push(event.version.get());
            columns.types.push(encoded.event_type);
            columns.fingerprints.push(encoded.schema_fingerprint.to_vec());
            columns.payloads.push(encoded.payload);
            columns.occurred_at.push(event.occurred_at.get());
        }
        Ok(columns)
    }
}

/// The kind, key and fingerprint of a cause; `None` when a repeat could not be recognised.
pub(super) fn cause_key(cause: &Cause) -> Option<(&'static str, String, Option<Uuid>)> {
    match cause {
        Cause::Unkeyed => None,
        Cause::Request(key, fingerprint) => {
            Some(("request", key.as_str().to_owned(), Some(fingerprint.get())))
        }
        Cause::Event(id) => Some(("event", id.to_string(), None)),
    }
}

fn headers() -> serde_json::Value {
    match TraceParent::current() {
        Some(trace) => serde_json::json!({ "traceparent": trace.to_string() }),
        None => serde_json::json!({}),
    }
}
