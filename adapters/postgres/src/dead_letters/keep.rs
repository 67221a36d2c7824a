use application::published::DeadLetter;
use sqlx::PgConnection;

use super::headers;
use crate::{PgError, storable};

/// Stores the dead letters in the caller's transaction, each at most once.
///
/// # Errors
/// When the database fails.
pub async fn keep(connection: &mut PgConnection, letters: &[DeadLetter]) -> Result<(), PgError> {
    if letters.is_empty() {
        return Ok(());
    }
    let records = || letters.iter().map(|letter| &letter.record);
    sqlx::query!(
        "INSERT INTO dead_letters (topic, topic_partition, topic_offset, key, value, reason,
                                   timestamp_ms, headers)
         SELECT * FROM UNNEST($1::text[], $2::integer[], $3::bigint[], $4::bytea[], $5::bytea[],
                              $6::text[], $7::bigint[], $8::jsonb[])
             AS given (topic, topic_partition, topic_offset, key, value, reason, timestamp_ms,
                       headers)
         ORDER BY topic, topic_partition, topic_offset, value
         ON CONFLICT (topic, topic_partition, topic_offset, value_hash) DO NOTHING",
        &records().map(|record| record.topic.as_str()).collect::<Vec<_>>() as _,
        &records().map(|record| record.partition).collect::<Vec<_>>(),
        &records().map(|record| record.offset).collect::<Vec<_>>(),
        &records().map(|record| record.key.as_deref()).collect::<Vec<_>>() as _,
        &records().map(|record| record.value.as_deref()).collect::<Vec<_>>() as _,
        &letters.iter().map(|letter| storable(&letter.reason)).collect::<Vec<_>>() as _,
        &records().map(|record| record.timestamp_ms).collect::<Vec<_>>() as _,
        &records().map(|record| headers::to_json(&record.headers)).collect::<Vec<_>>() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
