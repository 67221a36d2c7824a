//! The one statement that saves an order: whole or not at all, without a round trip in between.

use adapter_outbox::{NewEvent, NewEvents, append_events};
use adapter_postgres::PgError;
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::Cause;
use domain::ordering::{Order, OrderEvent};
use runtime::trace_context::TraceParent;
use sqlx::types::{Json, Uuid};
use sqlx::{PgConnection, Row};

use super::order_row::OrderRow;

/// Claims the cause, writes the order, appends its events; each step only if the one before it did
/// its work.
///
/// `claimed` waits for another transaction that is answering the same cause. `nextval` runs once
/// `written` has returned its row: by then this transaction has its id, on which the outbox's proof
/// rests, and holds the order's row until it ends, so that positions of one order ascend with its
/// versions. If the order turns out to have changed, `refuse_changed_order` undoes the claim.
///
/// What was ordered never changes, so an update leaves it alone.
const SAVE: &str = concat!(
    "
WITH claimed AS (
    INSERT INTO ordering.causes (kind, key, fingerprint, answer)
    SELECT $11::text, $12::text, $13::uuid, $14::jsonb WHERE $11 IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING 1
), inserted AS (
    INSERT INTO ordering.orders
        (id, customer_name, items, note, status, version, created_at, cancel_reason, cancelled_at)
    SELECT $3::uuid, $15::text, $16::jsonb, $17::text, $18::text, $19::bigint, $20::timestamptz,
           $21::text, $22::timestamptz
    WHERE $23::bigint IS NULL AND ($11 IS NULL OR EXISTS (SELECT FROM claimed))
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
), updated AS (
    UPDATE ordering.orders
    SET status = $18, version = $19, cancel_reason = $21, cancelled_at = $22
    WHERE id = $3 AND version = $23 AND ($11 IS NULL OR EXISTS (SELECT FROM claimed))
    RETURNING 1
), written AS (
    SELECT FROM inserted UNION ALL SELECT FROM updated
), ",
    append_events!(),
    "
SELECT CASE WHEN EXISTS (SELECT FROM written) THEN 'written'
            WHEN EXISTS (SELECT FROM claimed) THEN ordering.refuse_changed_order()::text
            WHEN $11 IS NOT NULL THEN 'answered before'
            ELSE 'changed'
       END AS outcome"
);

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
    pub(super) events: NewEvents,
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
            events: new_events(order, encode)?,
        })
    }

    /// Runs the statement, in its own transaction unless the connection is in one.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<Write, PgError> {
        let (kind, key, fingerprint) = match &self.cause {
            Some((kind, key, fingerprint)) => (Some(*kind), Some(key), *fingerprint),
            None => (None, None, None),
        };
        let answer = kind.map(|_| Json(&self.order));
        let order = &self.order;
        let outcome = self
            .events
            .bind(sqlx::query(SAVE))
            .bind(kind)
            .bind(key)
            .bind(fingerprint)
            .bind(answer)
            .bind(&order.customer_name)
            .bind(&order.items)
            .bind(&order.note)
            .bind(&order.status)
            .bind(order.version)
            .bind(order.created_at)
            .bind(&order.cancel_reason)
            .bind(order.cancelled_at)
            .bind(self.stored_version)
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

fn new_events(order: &Order, encode: EncodeEvent) -> Result<NewEvents, StoreError> {
    let event = |event: &OrderEvent| {
        let encoded = encode(event).map_err(StoreError::Broken)?;
        Ok(NewEvent {
            id: event.id.get(),
            aggregate_version: event.version.get(),
            event_type: encoded.event_type.to_owned(),
            schema_fingerprint: encoded.schema_fingerprint.to_vec(),
            payload: encoded.payload,
            occurred_at: event.occurred_at.get(),
        })
    };
    let events = order.recorded().iter().map(event).collect::<Result<_, StoreError>>()?;
    Ok(NewEvents { aggregate_id: order.id().get(), headers: headers(), events })
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
