use application::published::DeadLetter;
use sqlx::PgConnection;

use super::headers;
use crate::{PgError, storable};

/// The statements on the table `dead_letters` of one context.
#[derive(Debug)]
pub struct Statements {
    /// Stores records, each at most once.
    pub keep: &'static str,
    /// Lists the dead letters that have a state and match a filter, one page at a time.
    pub page: &'static str,
    /// Finds a dead letter by its number.
    pub find: &'static str,
    /// Discards open dead letters. It locks the rows in the order of their ids, so that two concurrent
    /// statements cannot deadlock.
    pub discard: &'static str,
    /// Marks an open dead letter as retried.
    pub mark_retried: &'static str,
    /// Updates the reason of an open dead letter.
    pub note_reason: &'static str,
    /// Deletes some dead letters that were settled before a time.
    pub delete_settled: &'static str,
}

/// The [`Statements`] of the context that owns this schema.
#[macro_export]
macro_rules! dead_letter_statements {
    ($schema:literal) => {
        $crate::dead_letters::Statements {
            keep: concat!(
                "INSERT INTO ",
                $schema,
                ".dead_letters (topic, topic_partition, topic_offset, key, value, reason,
                                timestamp_ms, headers)
                 SELECT * FROM UNNEST($1::text[], $2::integer[], $3::bigint[], $4::bytea[],
                                      $5::bytea[], $6::text[], $7::bigint[], $8::jsonb[])
                     AS given (topic, topic_partition, topic_offset, key, value, reason,
                               timestamp_ms, headers)
                 ORDER BY topic, topic_partition, topic_offset, value
                 ON CONFLICT (topic, topic_partition, topic_offset, value_hash) DO NOTHING"
            ),
            page: concat!(
                "SELECT id, topic, topic_partition, topic_offset, key, value, reason, state, kept_at,
                        settled_at, timestamp_ms, headers
                 FROM ",
                $schema,
                ".dead_letters
                 WHERE state = $1 AND ($2::bigint IS NULL OR id > $2)
                   AND ($3::text IS NULL OR position($3 IN reason) > 0)
                   AND ($4::text IS NULL OR $4 = regexp_replace(
                           jsonb_path_query_first(headers, '$[*] ? (@.name == \"ce_type\")') ->> 'text',
                           '^.*\\.', ''))
                 ORDER BY id LIMIT $5"
            ),
            find: concat!(
                "SELECT id, topic, topic_partition, topic_offset, key, value, reason, state, kept_at,
                        settled_at, timestamp_ms, headers
                 FROM ",
                $schema,
                ".dead_letters WHERE id = $1"
            ),
            discard: concat!(
                "UPDATE ",
                $schema,
                ".dead_letters SET state = 'discarded', settled_at = now()
                 WHERE id IN (SELECT id FROM ",
                $schema,
                ".dead_letters WHERE id = ANY ($1) AND state = 'open' ORDER BY id FOR UPDATE)
                 RETURNING id"
            ),
            mark_retried: concat!(
                "UPDATE ",
                $schema,
                ".dead_letters SET state = 'retried', settled_at = now()
                 WHERE id = $1 AND state = 'open'"
            ),
            note_reason: concat!(
                "UPDATE ",
                $schema,
                ".dead_letters SET reason = $2 WHERE id = $1 AND state = 'open'"
            ),
            delete_settled: concat!(
                "DELETE FROM ",
                $schema,
                ".dead_letters WHERE id IN (SELECT id FROM ",
                $schema,
                ".dead_letters WHERE state <> 'open' AND settled_at < $1 LIMIT $2)"
            ),
        }
    };
}
impl Statements {
    /// Stores the dead letters in the caller's transaction, each at most once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(
        &self,
        connection: &mut PgConnection,
        letters: &[DeadLetter],
    ) -> Result<(), PgError> {
        if letters.is_empty() {
            return Ok(());
        }
        let records = || letters.iter().map(|letter| &letter.record);
        sqlx::query(self.keep)
            .bind(records().map(|record| record.topic.as_str()).collect::<Vec<_>>())
            .bind(records().map(|record| record.partition).collect::<Vec<_>>())
            .bind(records().map(|record| record.offset).collect::<Vec<_>>())
            .bind(records().map(|record| record.key.as_deref()).collect::<Vec<_>>())
            .bind(records().map(|record| record.value.as_deref()).collect::<Vec<_>>())
            .bind(letters.iter().map(|letter| storable(&letter.reason)).collect::<Vec<_>>())
            .bind(records().map(|record| record.timestamp_ms).collect::<Vec<_>>())
            .bind(records().map(|record| headers::to_json(&record.headers)).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }
}
