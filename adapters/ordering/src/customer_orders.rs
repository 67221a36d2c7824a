use adapter_postgres::PgError;
use application::StoreError;
use application::ordering::CustomerOrders;
use domain::{CustomerId, OrderId};
use sqlx::types::{Json, Uuid};

use super::PgOrders;
use super::order_row::OrderRow;

/// How many answers are looked at in one statement.
const ANSWERS: i64 = 1_000;

/// A stored answer.
struct AnswerRow {
    kind: String,
    key: String,
    /// The answer, if it is about a redacted order of the customer.
    answer: Option<Json<OrderRow>>,
}

impl CustomerOrders for PgOrders {
    async fn page(
        &self,
        customer: &CustomerId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderId>, StoreError> {
        let page = sqlx::query_scalar!(
            "SELECT order_id FROM customer_orders
             WHERE customer_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3",
            customer.as_str(),
            after.map_or(Uuid::nil(), OrderId::get),
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        let ids = page.fetch_all(self.database.pool()).await.map_err(PgError::from)?;
        Ok(ids.into_iter().map(OrderId::new).collect())
    }

    /// Reads all answers, because no index leads from an order to its answers: each save would pay for
    /// it, and answers are kept for some days only.
    async fn redact_answers(&self, customer: &CustomerId) -> Result<u64, StoreError> {
        let (mut kind, mut key) = (String::new(), String::new());
        let mut changed = 0;
        loop {
            let page = sqlx::query_as!(
                AnswerRow,
                r#"SELECT page.kind, page.key,
                          CASE WHEN orders.redacted_at IS NOT NULL THEN page.answer END
                              AS "answer: Json<OrderRow>"
                   FROM (SELECT kind, key, answer, (answer ->> 'id')::uuid AS order_id FROM causes
                         WHERE (kind, key) > ($1, $2) ORDER BY kind, key LIMIT $3) AS page
                   LEFT JOIN customer_orders AS of_customer
                       ON of_customer.customer_id = $4 AND of_customer.order_id = page.order_id
                   LEFT JOIN orders ON orders.id = of_customer.order_id
                   ORDER BY page.kind, page.key"#,
                kind,
                key,
                ANSWERS,
                customer.as_str()
            );
            let page = page.fetch_all(self.database.pool()).await.map_err(PgError::from)?;
            let Some(last) = page.last() else { return Ok(changed) };
            (kind, key) = (last.kind.clone(), last.key.clone());
            for AnswerRow { kind, key, answer } in page {
                if let Some(Json(answer)) = answer {
                    changed += self.redact_answer(&kind, &key, answer).await?;
                }
            }
        }
    }
}

impl PgOrders {
    /// Returns how many answers were changed.
    async fn redact_answer(
        &self,
        kind: &str,
        key: &str,
        answer: OrderRow,
    ) -> Result<u64, StoreError> {
        let answered = answer.snapshot()?;
        let mut redacted = answered.clone();
        redacted.redact_texts();
        if redacted == answered {
            return Ok(0);
        }
        let update = sqlx::query!(
            "UPDATE causes SET answer = $3 WHERE kind = $1 AND key = $2",
            kind,
            key,
            Json(OrderRow::from(&redacted)) as _
        );
        let update = update.execute(self.database.pool()).await.map_err(PgError::from)?;
        Ok(update.rows_affected())
    }
}
