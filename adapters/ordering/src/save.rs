//! The statement that saves orders, their events and the answers to their causes. It stores all or
//! nothing.

mod columns;

use adapter_outbox::{NewEvent, NewEvents, query_appending};
use adapter_postgres::PgError;
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::Cause;
use domain::ordering::{Order, OrderEvent};
use sqlx::PgConnection;
use sqlx::types::Uuid;

use self::columns::Columns;
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

    /// The kind and key of the cause, if it has one.
    pub(super) fn cause_key(&self) -> Option<(&'static str, &str)> {
        self.cause.as_ref().map(|(kind, key, _)| (*kind, key.as_str()))
    }

    /// Saves this order alone, as [`save_all`] does.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<Write, PgError> {
        match save_all(&[self], connection).await {
            Ok(writes) => Ok(writes.first().copied().unwrap_or(Write::Changed)),
            Err(error) if error.sqlstate().as_deref() == Some(CHANGED) => Ok(Write::Changed),
            Err(error) => Err(error),
        }
    }
}

/// Runs the statement in the transaction of the connection, or in its own one if there is none. Returns
/// the result of each save.
///
/// Orders that exist MUST be saved alone: their rows are locked in no particular order, so two
/// statements with several of them could deadlock. In one call, no two saves may have the same order or
/// the same cause.
///
/// The statement claims the causes, writes the orders and appends their events. Each step of an order runs
/// only if the previous one has changed a row.
///
/// `claimed` waits for a concurrent transaction that answers the same cause. Causes are claimed in the
/// order of their keys, so that two statements cannot deadlock.
///
/// `nextval` runs after `written` has returned the rows. At this time the transaction has its id, which
/// the proof of the outbox needs. It holds the rows of the orders locked until it ends, so a higher
/// version of an order has a higher position.
///
/// If an order has changed since it was read, `refuse_changed_order` fails, and so undoes everything.
///
/// The items of an order never change, so an update does not write them. Name and note change only with a
/// redaction; the trigger `keep_what_was_ordered` undoes other changes.
pub(super) async fn save_all(
    saves: &[&Save],
    connection: &mut PgConnection,
) -> Result<Vec<Write>, PgError> {
    let columns = Columns::of(saves);
    let save = query_appending!(
        "
        WITH given AS (
            SELECT * FROM unnest(
                $10::text[], $11::text[], $12::uuid[], $13::jsonb[], $14::uuid[], $15::bigint[],
                $16::text[], $17::text[], $18::jsonb[], $19::text[], $20::text[], $21::bigint[],
                $22::timestamptz[], $23::text[], $24::timestamptz[], $25::text[], $26::text[],
                $27::text[], $28::timestamptz[], $29::timestamptz[], $30::jsonb[], $31::timestamptz[])
            WITH ORDINALITY AS given
                (kind, key, fingerprint, answer, id, stored_version,
                 customer_id, customer_name, items, note, status, version,
                 created_at, cancel_reason, cancelled_at, progress, rejection_code,
                 rejection_text, cancel_requested_at, cancel_declined_at, history, redacted_at, number)
        ), claimed AS (
            INSERT INTO causes (kind, key, fingerprint, answer)
            SELECT kind, key, fingerprint, answer FROM given WHERE kind IS NOT NULL ORDER BY kind, key
            ON CONFLICT DO NOTHING
            RETURNING kind, key
        ), due AS (
            SELECT given.* FROM given LEFT JOIN claimed USING (kind, key)
            WHERE given.kind IS NULL OR claimed.key IS NOT NULL
        ), inserted AS (
            INSERT INTO orders
                (id, customer_id, customer_name, items, note, status, version, created_at, cancel_reason,
                 cancelled_at, progress, rejection_code, rejection_text, cancel_requested_at,
                 cancel_declined_at, history, redacted_at)
            SELECT id, customer_id, customer_name, items, note, status, version, created_at, cancel_reason,
                   cancelled_at, progress, rejection_code, rejection_text, cancel_requested_at,
                   cancel_declined_at, history, redacted_at
            FROM due WHERE stored_version IS NULL
            ON CONFLICT (id) DO NOTHING
            RETURNING id, customer_id
        ), of_customer AS (
            INSERT INTO customer_orders (customer_id, order_id)
            SELECT customer_id, id FROM inserted WHERE customer_id IS NOT NULL
        ), updated AS (
            UPDATE orders
            SET status = due.status, version = due.version, cancel_reason = due.cancel_reason,
                cancelled_at = due.cancelled_at, progress = due.progress,
                rejection_code = due.rejection_code, rejection_text = due.rejection_text,
                cancel_requested_at = due.cancel_requested_at,
                cancel_declined_at = due.cancel_declined_at, history = due.history,
                customer_name = due.customer_name, note = due.note, redacted_at = due.redacted_at
            FROM due
            WHERE due.stored_version IS NOT NULL
              AND orders.id = due.id AND orders.version = due.stored_version
            RETURNING orders.id
        ), written AS (
            SELECT id AS aggregate_id FROM inserted UNION ALL SELECT id FROM updated
        ), ",
        r#"
        SELECT CASE WHEN written.aggregate_id IS NOT NULL THEN 'written'
                    WHEN claimed.key IS NOT NULL THEN refuse_changed_order()::text
                    WHEN given.kind IS NOT NULL THEN 'answered before'
                    ELSE 'changed'
               END AS "outcome!"
        FROM given
        LEFT JOIN claimed USING (kind, key)
        LEFT JOIN written ON written.aggregate_id = given.id
        ORDER BY given.number"#,
        saves.iter().map(|save| &save.events),
        &columns.kinds as _,
        &columns.keys as _,
        &columns.fingerprints as _,
        &columns.answers as _,
        &columns.ids,
        &columns.stored_versions as _,
        &columns.customer_ids as _,
        &columns.customer_names as _,
        &columns.items as _,
        &columns.notes as _,
        &columns.statuses as _,
        &columns.versions,
        &columns.created_at,
        &columns.cancel_reasons as _,
        &columns.cancelled_at as _,
        &columns.progress as _,
        &columns.rejection_codes as _,
        &columns.rejection_texts as _,
        &columns.cancel_requested_at as _,
        &columns.cancel_declined_at as _,
        &columns.histories as _,
        &columns.redacted_at as _,
    );
    let rows = save.fetch_all(connection).await?;
    let write = |outcome: &str| match outcome {
        "written" => Write::Written,
        "answered before" => Write::AnsweredBefore,
        _ => Write::Changed,
    };
    Ok(rows.iter().map(|row| write(&row.outcome)).collect())
}

fn new_events(order: &Order, encode: EncodeEvent) -> Result<NewEvents, StoreError> {
    let event = |event: &OrderEvent| {
        let encoded = encode(event).map_err(StoreError::Broken)?;
        Ok(NewEvent::new(event.id, event.version.get(), event.occurred_at, encoded))
    };
    let events = order.recorded().iter().map(event).collect::<Result<_, StoreError>>()?;
    Ok(NewEvents::new(order.id().get(), events))
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
