use adapter_postgres::PgError;
use domain::Timestamp;
use sqlx::PgPool;

/// Reads the next `$2` notifications after the id `$1`. Deletes those that are settled and were recorded
/// before `$3`. Sets `recorded_at` to now if it is in the future, because the clock was ahead then.
///
/// Ids ascend with time, so the last old notification is found without an index on `recorded_at`.
const DELETE_SETTLED: &str = "
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
           coalesce(bool_or(recorded_at < $3), false) OR EXISTS (SELECT FROM dated) AS goes_on,
           (SELECT count(*) FROM deleted) AS deleted
    FROM part";

/// Deletes the settled notifications among the first `limit` that have any. Returns how many.
pub(super) async fn delete_settled(
    pool: &PgPool,
    before: Timestamp,
    limit: usize,
) -> Result<u64, PgError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut after = i64::MIN;
    loop {
        let query = sqlx::query_as(DELETE_SETTLED).bind(after).bind(limit).bind(before.get());
        let (last, goes_on, deleted): (Option<i64>, bool, i64) = query.fetch_one(pool).await?;
        match last {
            Some(last) if deleted == 0 && goes_on => after = last,
            _ => return Ok(deleted.unsigned_abs()),
        }
    }
}
