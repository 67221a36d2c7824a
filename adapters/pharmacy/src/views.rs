use adapter_postgres::PgError;
use application::StoreError;
use application::pharmacy::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
use domain::OrderId;
use sqlx::types::Json;
use uuid::Uuid;

use super::PgPharmacyOrders;
use super::rows::{ItemRow, OrderRow, select_orders};

impl PharmacyViews for PgPharmacyOrders {
    async fn view(&self, id: OrderId) -> Result<Option<PharmacyOrderView>, StoreError> {
        let row = select_orders!("WHERE order_id = $1", id.get());
        let row = row.fetch_optional(&self.pool).await.map_err(PgError::from)?;
        row.map(OrderRow::into_view).transpose()
    }

    async fn newest(
        &self,
        status: Option<PharmacyViewStatus>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PharmacyOrderView>, StoreError> {
        let Some(last) = last_before(before) else {
            return Ok(Vec::new());
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // With an optional filter (`$3 IS NULL OR …`), the planner would not use the index.
        let rows = match status {
            None => {
                let newest = select_orders!(
                    "WHERE order_id <= $1 ORDER BY order_id DESC LIMIT $2",
                    last,
                    limit
                );
                newest.fetch_all(&self.pool).await
            }
            Some(status) => {
                let newest = select_orders!(
                    "WHERE status = $3 AND order_id <= $1 ORDER BY order_id DESC LIMIT $2",
                    last,
                    limit,
                    name(status)
                );
                newest.fetch_all(&self.pool).await
            }
        };
        let rows = rows.map_err(PgError::from)?;
        rows.into_iter().map(OrderRow::into_view).collect()
    }
}

/// The greatest id before this one, or the greatest of all if there is no cursor. So the same statement
/// can use the index with and without a cursor.
fn last_before(before: Option<OrderId>) -> Option<Uuid> {
    match before {
        None => Some(Uuid::max()),
        Some(id) => id.get().as_u128().checked_sub(1).map(Uuid::from_u128),
    }
}

const fn name(status: PharmacyViewStatus) -> &'static str {
    match status {
        PharmacyViewStatus::Draft => "draft",
        PharmacyViewStatus::Cancelled => "cancelled",
    }
}
