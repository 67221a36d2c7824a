use adapter_postgres::PgError;
use application::StoreError;
use application::ordering::OrderViews;
use domain::OrderId;
use domain::ordering::{OrderSnapshot, StatusName};

use super::PgOrders;
use super::order_row::{OrderRow, select_orders};

impl OrderViews for PgOrders {
    async fn view(&self, id: OrderId) -> Result<Option<OrderSnapshot>, StoreError> {
        let row = select_orders!("WHERE id = $1", id.get());
        let row = row.fetch_optional(self.database.pool()).await.map_err(PgError::from)?;
        row.map(OrderRow::snapshot).transpose()
    }

    async fn newest(
        &self,
        status: Option<StatusName>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderSnapshot>, StoreError> {
        let before = before.map_or(sqlx::types::Uuid::max(), OrderId::get);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pool = self.database.pool();
        // Two statements, because one with an optional status would not get a plan that reads an index
        // and stops at the limit.
        let rows = match status {
            None => {
                select_orders!("WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
                    .fetch_all(pool)
                    .await
            }
            Some(status) => {
                select_orders!(
                    "WHERE id < $1 AND status = $3 ORDER BY id DESC LIMIT $2",
                    before,
                    limit,
                    status.as_str()
                )
                .fetch_all(pool)
                .await
            }
        };
        let rows = rows.map_err(PgError::from)?;
        rows.into_iter().map(OrderRow::snapshot).collect()
    }
}
