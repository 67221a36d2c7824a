//! The statement that saves an order, its events and the answer to its cause. It stores all or
//! nothing.

use adapter_outbox::{NewEvent, NewEvents, query_appending};
use adapter_postgres::PgError;
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::Cause;
use domain::ordering::{Order, OrderEvent};
use runtime::trace_context::TraceParent;
use sqlx::PgConnection;
use sqlx::types::{Json, Uuid};

use super::order_row::OrderRow;

/// SQLSTATE of the error that `refuse_changed_order` raises.
const CHANGED: &str = "OR001";

/// The result of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// The order and its events are stored.
    Written,
    /// The cause was answered before. Nothing was stored.
    AnsweredBefore,
    /// The order has changed since it was read. Nothing was stored.
    Changed,
}

/// All values that the statement binds. They are prepared before a connection is taken.
#[derive(Debug)]
pub(super) struct Save {
    cause: Option<(&'static str, String, Option<Uuid>)>,
    pub(super) order: OrderRow,
    pub(super) stored_version: Option<i64>,
    pub(super) events: NewEvents,
}

impl Save {
    /// Prepares the save of an order and encodes its recorded events.
    ///
    /// # Errors
    /// When an event cannot be encoded. An order must not be stored without its events.
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

    /// Runs the statement in the transaction of the connection, or in its own one if there is none.
    ///
    /// It claims the cause, writes the order and appends its events. Each step runs only if the
    /// previous one has changed a row.
    ///
    /// `claimed` waits for a concurrent transaction that answers the same cause.
    ///
    /// `nextval` runs after `written` has returned its row. At this time the transaction has its id,
    /// which the proof of the outbox needs. It holds the row of the order locked until it ends, so a
    /// higher version of an order has a higher position.
    ///
    /// If the order has changed since it was read, `refuse_changed_order` fails, and so undoes the
    /// claim.
    ///
    /// Customer, items and note of an order never change, so an update does not write them.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<Write, PgError> {
        let Self { cause, order, stored_version, events } = self;
        let (kind, key, fingerprint) = match cause {
            Some((kind, key, fingerprint)) => (Some(*kind), Some(key), *fingerprint),
            None => (None, None, None),
        };
        let answer = kind.map(|_| Json(order));
        // `events` bind the id.
        let OrderRow {
            id: _,
            customer_name,
            items,
            note,
            status,
            version,
            created_at,
            cancel_reason,
            cancelled_at,
        } = order;
        let save = query_appending!(
            "
            WITH claimed AS (
                INSERT INTO causes (kind, key, fingerprint, answer)
                SELECT $11::text, $12::text, $13::uuid, $14::jsonb WHERE $11 IS NOT NULL
                ON CONFLICT DO NOTHING
                RETURNING 1
            ), inserted AS (
                INSERT INTO orders
                    (id, customer_name, items, note, status, version, created_at, cancel_reason, cancelled_at)
                SELECT $3::uuid, $15::text, $16::jsonb, $17::text, $18::text, $19::bigint, $20::timestamptz,
                       $21::text, $22::timestamptz
                WHERE $23::bigint IS NULL AND ($11 IS NULL OR EXISTS (SELECT FROM claimed))
                ON CONFLICT (id) DO NOTHING
                RETURNING 1
            ), updated AS (
                UPDATE orders
                SET status = $18, version = $19, cancel_reason = $21, cancelled_at = $22
                WHERE id = $3 AND version = $23 AND ($11 IS NULL OR EXISTS (SELECT FROM claimed))
                RETURNING 1
            ), written AS (
                SELECT FROM inserted UNION ALL SELECT FROM updated
            ), ",
            "
            SELECT CASE WHEN EXISTS (SELECT FROM written) THEN 'written'
                        WHEN EXISTS (SELECT FROM claimed) THEN refuse_changed_order()::text
                        WHEN $11 IS NOT NULL THEN 'answered before'
                        ELSE 'changed'
                   END AS outcome",
            events,
            kind,
            key,
            fingerprint,
            answer as _,
            customer_name,
            items as _,
            note.as_ref(),
            status,
            version,
            created_at,
            cancel_reason.as_ref(),
            *cancelled_at,
            *stored_version,
        );
        let outcome = save.fetch_one(connection).await.map(|saved| saved.outcome);
        match outcome {
            Ok(Some(outcome)) if outcome == "written" => Ok(Write::Written),
            Ok(Some(outcome)) if outcome == "answered before" => Ok(Write::AnsweredBefore),
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

/// The kind, key and fingerprint of a cause. `None` if a repetition cannot be recognised.
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
