//! Inserts orders and their items like the pharmacy, without reading, decoding or checking anything.

use std::time::Instant;

use runtime::clock;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Failure, print_rate};

/// Orders in a transaction, as many as a consumer applies together.
const BATCH: usize = 500;

pub(crate) async fn run(pool: &PgPool, orders: usize) -> Result<(), Failure> {
    for table in ["orders", "order_items"] {
        let create = format!(
            "DROP TABLE IF EXISTS upsert_{table};
             CREATE TABLE upsert_{table} (LIKE pharmacy.{table} INCLUDING ALL)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(pool).await?;
    }
    let ids: Vec<Uuid> = (0..orders).map(|_| Uuid::from_u128(clock::random())).collect();
    let begin = Instant::now();
    for batch in ids.chunks(BATCH) {
        let mut transaction = pool.begin().await?;
        sqlx::query(
            "INSERT INTO upsert_orders (order_id, revision, version, missing, status, customer_name,
                                        ordered_at, work_version, history, gaps)
             SELECT id, 1, 1, 0, 'draft', 'Ada Lovelace', now(), 1,
                    '[{\"at\": \"2026-01-01T00:00:00Z\", \"status\": \"draft\"}]', '[]'
             FROM unnest($1::uuid[]) AS given (id)
             ON CONFLICT (order_id) DO UPDATE SET version = EXCLUDED.version
             WHERE upsert_orders.version < EXCLUDED.version",
        )
        .bind(batch)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO upsert_order_items (order_id, line, product_id, quantity)
             SELECT id, 1, 1, 2 FROM unnest($1::uuid[]) AS given (id)
             ON CONFLICT DO NOTHING",
        )
        .bind(batch)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    print_rate(orders, begin);
    Ok(())
}
