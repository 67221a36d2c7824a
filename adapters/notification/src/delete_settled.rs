use adapter_postgres::PgError;
use application::StoreError;
use domain::Timestamp;
use sqlx::PgPool;

/// Deletes the settled notifications among the first `limit` that have any. Returns how many.
///
/// Ids ascend with time, so the last old notification is found without an index on `recorded_at`. A
/// `recorded_at` in the future is set to now, because the clock was ahead then.
pub(super) async fn delete_settled(
    pool: &PgPool,
    before: Timestamp,
    limit: usize,
) -> Result<u64, PgError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut after = i64::MIN;
    loop {
        // `part` is the next `$2` notifications after the id `$1`.
        let delete = sqlx::query!(
            r#"
            WITH part AS (
                SELECT id, state, recorded_at FROM notifications
                WHERE id > $1 ORDER BY id LIMIT $2
            ), deleted AS (
                DELETE FROM notifications AS kept USING part
                WHERE kept.id = part.id AND kept.state <> 'pending' AND kept.recorded_at < $3
                RETURNING 1
            ), dated AS (
                UPDATE notifications AS kept SET recorded_at = now() FROM part
                WHERE kept.id = part.id AND kept.recorded_at > now() + interval '1 day'
                RETURNING 1
            )
            SELECT max(id) AS last,
                   coalesce(bool_or(recorded_at < $3), false) OR EXISTS (SELECT FROM dated) AS "goes_on!",
                   (SELECT count(*) FROM deleted) AS "deleted!"
            FROM part"#,
            after,
            limit,
            before.get()
        );
        let page = delete.fetch_one(pool).await?;
        match page.last {
            Some(last) if page.deleted == 0 && page.goes_on => after = last,
            _ => return Ok(page.deleted.unsigned_abs()),
        }
    }
}

/// Deletes the customers of at most `limit` orders that ended before this time. Returns how many.
pub(super) async fn delete_ended_orders(
    pool: &PgPool,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let delete = sqlx::query!(
        "DELETE FROM orders WHERE order_id IN (
             SELECT order_id FROM orders WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)",
        before.get(),
        i64::try_from(limit).unwrap_or(i64::MAX)
    );
    Ok(delete.execute(pool).await.map_err(PgError::from)?.rows_affected())
}
