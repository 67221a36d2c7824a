use adapter_postgres::PgError;
use application::StoreError;
use application::ordering::{OrderViews, StatusFilter};
use domain::OrderId;
use domain::ordering::OrderSnapshot;

use super::PgOrders;
use super::order_row::{OrderRow, select_orders};

impl OrderViews for PgOrders {
    async fn view(&self, id: OrderId) -> Result<Option<OrderSnapshot>, StoreError> {
        let row: Option<OrderRow> = sqlx::query_as(select_orders!("WHERE id = $1"))
            .bind(id.get())
            .fetch_optional(self.database.pool())
            .await
            .map_err(PgError::from)?;
        row.map(OrderRow::snapshot).transpose()
    }

    async fn newest(
        &self,
        status: Option<StatusFilter>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderSnapshot>, StoreError> {
        // Two statements, so that each has a plan that walks an index and stops at the limit.
        let all = select_orders!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
        let of_status = select_orders!("WHERE id < $1 AND status = $3 ORDER BY id DESC LIMIT $2");
        let query = match status {
            None => sqlx::query_as(all),
            Some(_) => sqlx::query_as(of_status),
        };
        let before = before.map_or(sqlx::types::Uuid::max(), OrderId::get);
        let query = query.bind(before).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let query = match status {
            None => query,
            Some(StatusFilter::Created) => query.bind("created"),
            Some(StatusFilter::Cancelled) => query.bind("cancelled"),
        };
        let rows: Vec<OrderRow> =
            query.fetch_all(self.database.pool()).await.map_err(PgError::from)?;
        rows.into_iter().map(OrderRow::snapshot).collect()
    }
}
