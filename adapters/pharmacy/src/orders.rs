use adapter_outbox::{NewEvent, NewEvents};
use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, dead_letters};
use application::StoreError;
use application::pharmacy::{OrderRevision, PharmacyOrders, SaveAllError, WorkState};
use application::published::DeadLetter;
use chrono::{DateTime, Utc};
use domain::pharmacy::PharmacyEvent;
use domain::{OrderId, OrderVersion};
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::PgPharmacyOrders;
use super::rows::{ItemRow, OrderRow, select_orders};
use super::work_row::ChangeRow;

impl PharmacyOrders for PgPharmacyOrders {
    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<OrderRevision>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.get()).collect();
        let find = async {
            let mut session = self.sessions.acquire().await?;
            let find = select_orders!("WHERE order_id = ANY($1)", &ids);
            let rows: Vec<OrderRow> = find.fetch_all(&mut *session).await?;
            session.keep();
            Ok::<_, PgError>(rows)
        };
        let rows = in_time(find).await?;
        rows.into_iter().map(OrderRow::into_revised).collect()
    }

    async fn save_all(
        &self,
        orders: &[OrderRevision],
        dead: &[DeadLetter],
    ) -> Result<(), SaveAllError> {
        let events = orders
            .iter()
            .filter(|revised| !revised.order.recorded().is_empty())
            .map(|revised| self.new_events(revised))
            .collect::<Result<Vec<_>, _>>()?;
        match in_time(self.save(orders, &events, dead)).await {
            Ok(true) => {
                if !events.is_empty() {
                    self.wakeups.send();
                }
                Ok(())
            }
            Ok(false) => Err(SaveAllError::Conflict),
            Err(error) => Err(SaveAllError::Store(error.into())),
        }
    }
}

impl PgPharmacyOrders {
    /// Saves everything and returns true, or saves nothing and returns false.
    ///
    /// Existing rows are locked first, then new rows are inserted, both in the order of their keys. So
    /// concurrent calls cannot deadlock.
    async fn save(
        &self,
        orders: &[OrderRevision],
        events: &[NewEvents],
        dead: &[DeadLetter],
    ) -> Result<bool, PgError> {
        let (new, known): (Vec<&OrderRevision>, Vec<&OrderRevision>) =
            orders.iter().partition(|revised| revised.revision == 0);
        let mut session = self.sessions.acquire().await?;
        let mut transaction = session.begin().await?;
        let written = update(&mut transaction, &known).await?;
        let written = written + insert(&mut transaction, &new).await?;
        if written != orders.len() as u64 {
            transaction.rollback().await?;
            return Ok(false);
        }
        write_items(&mut transaction, orders).await?;
        // After the orders were written: the rows of these orders are locked now.
        if !events.is_empty() {
            NewEvents::append_all(events, &mut transaction).await?;
        }
        dead_letters::keep(&mut transaction, dead).await?;
        transaction.commit().await?;
        session.keep();
        Ok(true)
    }

    /// The recorded events of an order, encoded.
    fn new_events(
        &self,
        OrderRevision { order, .. }: &OrderRevision,
    ) -> Result<NewEvents, StoreError> {
        let event = |event: &PharmacyEvent| {
            let encoded = (self.encode)(event).map_err(StoreError::Broken)?;
            Ok(NewEvent::new(event.id, event.version.get(), event.occurred_at, encoded))
        };
        let events = order.recorded().iter().map(event).collect::<Result<_, StoreError>>()?;
        Ok(NewEvents::new(order.id().get(), events))
    }
}

/// The columns of orders, as parameters of a statement.
struct Columns<'o> {
    ids: Vec<Uuid>,
    revisions: Vec<i64>,
    versions: Vec<i64>,
    missing: Vec<i64>,
    statuses: Vec<&'static str>,
    customer_names: Vec<Option<&'o str>>,
    notes: Vec<Option<&'o str>>,
    ordered_at: Vec<Option<DateTime<Utc>>>,
    cancel_reasons: Vec<Option<&'o str>>,
    cancelled_at: Vec<Option<DateTime<Utc>>>,
    work_statuses: Vec<&'static str>,
    work_versions: Vec<i64>,
    answered: Vec<Option<i64>>,
    histories: Vec<Json<Vec<ChangeRow>>>,
    gaps: Vec<Json<Vec<(i64, i64)>>>,
    redacted: Vec<bool>,
}

impl<'o> Columns<'o> {
    fn of(orders: &[&'o OrderRevision]) -> Self {
        let states = || orders.iter().map(|revised| revised.order.snapshot());
        let contents = || states().map(|state| state.contents.as_ref());
        let cancellations = || states().map(|state| state.cancellation.as_ref());
        let works = || orders.iter().map(|revised| revised.order.work());
        Self {
            ids: states().map(|state| state.id.get()).collect(),
            revisions: orders.iter().map(|revised| revised.revision).collect(),
            versions: states()
                .map(|state| state.versions.latest().map_or(0, OrderVersion::get))
                .collect(),
            missing: states().map(|state| state.versions.missing()).collect(),
            // What programs of earlier versions understand.
            statuses: cancellations().map(|it| it.map_or("draft", |_| "cancelled")).collect(),
            customer_names: contents().map(|it| Some(it?.customer_name.as_str())).collect(),
            notes: contents().map(|it| it?.note.as_deref()).collect(),
            ordered_at: contents().map(|it| Some(it?.ordered_at.get())).collect(),
            cancel_reasons: cancellations().map(|it| Some(it?.reason.as_str())).collect(),
            cancelled_at: cancellations().map(|it| Some(it?.at.get())).collect(),
            work_statuses: works().map(|work| WorkState::from(&work.status).as_str()).collect(),
            work_versions: works().map(|work| work.version.map_or(0, OrderVersion::get)).collect(),
            answered: works().map(|work| work.answered.map(OrderVersion::get)).collect(),
            histories: works()
                .map(|work| Json(work.history.iter().map(ChangeRow::from).collect()))
                .collect(),
            gaps: states().map(|state| Json(state.versions.gaps().to_vec())).collect(),
            redacted: states().map(|state| state.redacted).collect(),
        }
    }
}

/// A statement whose parameters are these columns.
macro_rules! with_columns {
    ($columns:ident, $statement:literal) => {
        sqlx::query!(
            $statement,
            &$columns.ids,
            &$columns.revisions,
            &$columns.versions,
            &$columns.missing,
            &$columns.statuses as _,
            &$columns.customer_names as _,
            &$columns.notes as _,
            &$columns.ordered_at as _,
            &$columns.cancel_reasons as _,
            &$columns.cancelled_at as _,
            &$columns.work_statuses as _,
            &$columns.work_versions,
            &$columns.answered as _,
            &$columns.histories as _,
            &$columns.gaps as _,
            &$columns.redacted,
        )
    };
}

/// Updates the orders whose rows have not changed since they were read. Returns how many.
///
/// Rows are locked in the order of their keys, so that two consumers cannot deadlock.
async fn update(connection: &mut PgConnection, orders: &[&OrderRevision]) -> Result<u64, PgError> {
    if orders.is_empty() {
        return Ok(0);
    }
    let columns = Columns::of(orders);
    let update = with_columns!(
        columns,
        "WITH given AS (
             SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[],
                                  $6::text[], $7::text[], $8::timestamptz[], $9::text[],
                                  $10::timestamptz[], $11::text[], $12::bigint[], $13::bigint[],
                                  $14::jsonb[], $15::jsonb[], $16::boolean[])
                 AS given (order_id, revision, version, missing, status, customer_name, note,
                           ordered_at, cancel_reason, cancelled_at, work_status, work_version,
                           answered, history, gaps, redacted)
         ), held AS MATERIALIZED (
             SELECT given.* FROM orders JOIN given USING (order_id)
             WHERE orders.revision = given.revision ORDER BY orders.order_id FOR UPDATE OF orders
         )
         UPDATE orders
         SET version = held.version, missing = held.missing, status = held.status,
             customer_name = held.customer_name, note = held.note, ordered_at = held.ordered_at,
             cancel_reason = held.cancel_reason, cancelled_at = held.cancelled_at,
             work_status = held.work_status, work_version = held.work_version,
             answered = held.answered,
             history = held.history, gaps = held.gaps, redacted = held.redacted,
             revision = held.revision + 1, updated_at = now()
         FROM held
         WHERE orders.order_id = held.order_id"
    );
    Ok(update.execute(connection).await?.rows_affected())
}

/// Inserts the orders that do not exist yet. Returns how many.
async fn insert(connection: &mut PgConnection, orders: &[&OrderRevision]) -> Result<u64, PgError> {
    if orders.is_empty() {
        return Ok(0);
    }
    let columns = Columns::of(orders);
    let insert = with_columns!(
        columns,
        "INSERT INTO orders (order_id, revision, version, missing, status, customer_name, note,
                             ordered_at, cancel_reason, cancelled_at, work_status, work_version,
                             answered, history, gaps, redacted)
         SELECT order_id, revision + 1, version, missing, status, customer_name, note, ordered_at,
                cancel_reason, cancelled_at, work_status, work_version, answered, history, gaps,
                redacted
         FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
                     $7::text[], $8::timestamptz[], $9::text[], $10::timestamptz[], $11::text[],
                     $12::bigint[], $13::bigint[], $14::jsonb[], $15::jsonb[], $16::boolean[])
             AS given (order_id, revision, version, missing, status, customer_name, note,
                       ordered_at, cancel_reason, cancelled_at, work_status, work_version,
                       answered, history, gaps, redacted)
         ORDER BY order_id
         ON CONFLICT (order_id) DO NOTHING"
    );
    Ok(insert.execute(connection).await?.rows_affected())
}

async fn write_items(
    connection: &mut PgConnection,
    orders: &[OrderRevision],
) -> Result<(), PgError> {
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    let (mut product_ids, mut quantities) = (Vec::new(), Vec::new());
    let (mut systems, mut codes, mut displays) = (Vec::new(), Vec::new(), Vec::new());
    for revised in orders {
        let contents = revised.order.snapshot().contents.as_ref();
        let items = contents.map_or(&[][..], |it| it.items.as_slice());
        for (line, item) in (1_i32..).zip(items) {
            ids.push(revised.order.id().get());
            lines.push(line);
            product_ids.push(item.product_id);
            quantities.push(item.quantity);
            let medication = item.medication.as_ref();
            systems.push(medication.map(|it| it.system.as_str()));
            codes.push(medication.map(|it| it.code.as_str()));
            displays.push(medication.and_then(|it| it.display.as_deref()));
        }
    }
    if !ids.is_empty() {
        // The items of an order never change after they were stored.
        let insert = sqlx::query!(
            "INSERT INTO order_items (order_id, line, product_id, quantity, medication_system,
                                      medication_code, medication_display)
             SELECT * FROM UNNEST($1::uuid[], $2::integer[], $3::bigint[], $4::integer[], $5::text[],
                                  $6::text[], $7::text[])
             ON CONFLICT (order_id, line) DO NOTHING",
            &ids,
            &lines,
            &product_ids,
            &quantities,
            &systems as _,
            &codes as _,
            &displays as _,
        );
        insert.execute(connection).await?;
    }
    Ok(())
}
