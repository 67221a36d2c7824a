use std::time::Duration;

use adapter_postgres::PgError;
use application::StoreError;
use application::pharmacy::{OpenWork, PharmacyOrderView, PharmacyViews, Sequence, WorkState};
use domain::OrderId;
use sqlx::types::Json;
use uuid::Uuid;

use super::PgPharmacyOrders;
use super::rows::{ItemRow, OrderRow, select_orders};
use super::work_row::ChangeRow;

impl PharmacyViews for PgPharmacyOrders {
    async fn view(&self, id: OrderId) -> Result<Option<PharmacyOrderView>, StoreError> {
        let row = select_orders!("WHERE order_id = $1", id.get());
        let row = row.fetch_optional(&self.pool).await.map_err(PgError::from)?;
        row.map(OrderRow::into_view).transpose()
    }

    /// Takes the first rows of each state from the index, and then the first of these.
    async fn page(
        &self,
        states: &[WorkState],
        sequence: Sequence,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PharmacyOrderView>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        let after = after.map(OrderId::get);
        let rows = match sequence {
            Sequence::NewestFirst => {
                let page = select_orders!(
                    "WHERE order_id IN (
                         SELECT first.order_id
                         FROM unnest($1::text[]) AS wanted (work_status) CROSS JOIN LATERAL (
                             SELECT order_id FROM orders AS candidate
                             WHERE candidate.work_status = wanted.work_status
                               AND order_id < coalesce($2::uuid, $4::uuid)
                             ORDER BY order_id DESC LIMIT $3::bigint
                         ) AS first
                         ORDER BY first.order_id DESC LIMIT $3)
                     ORDER BY order_id DESC",
                    &states as _,
                    after,
                    limit,
                    Uuid::max()
                );
                page.fetch_all(&self.pool).await
            }
            Sequence::OldestFirst => {
                let page = select_orders!(
                    "WHERE order_id IN (
                         SELECT first.order_id
                         FROM unnest($1::text[]) AS wanted (work_status) CROSS JOIN LATERAL (
                             SELECT order_id FROM orders AS candidate
                             WHERE candidate.work_status = wanted.work_status
                               AND order_id > coalesce($2::uuid, $4::uuid)
                             ORDER BY order_id LIMIT $3::bigint
                         ) AS first
                         ORDER BY first.order_id LIMIT $3)
                     ORDER BY order_id",
                    &states as _,
                    after,
                    limit,
                    Uuid::nil()
                );
                page.fetch_all(&self.pool).await
            }
        };
        let rows = rows.map_err(PgError::from)?;
        rows.into_iter().map(OrderRow::into_view).collect()
    }

    async fn worklist(&self) -> Result<Vec<OpenWork>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT work_status, count(*) AS "orders!",
                      greatest(extract(epoch FROM now() - min(received_at)), 0)::float8
                          AS "oldest_seconds!"
               FROM orders
               WHERE work_status IN ('draft', 'confirmed', 'in_preparation', 'ready')
               GROUP BY work_status"#
        );
        let rows = rows.fetch_all(&self.pool).await.map_err(PgError::from)?;
        let open = |state: WorkState| {
            let row = rows.iter().find(|row| row.work_status == state.as_str());
            OpenWork {
                state,
                orders: row.map_or(0, |row| row.orders.unsigned_abs()),
                oldest: row.map(|row| Duration::from_secs_f64(row.oldest_seconds)),
            }
        };
        Ok(WorkState::OPEN.map(open).to_vec())
    }
}
