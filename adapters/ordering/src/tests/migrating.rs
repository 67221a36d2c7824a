//! The tables are brought up to date beside programs of other versions.

use std::time::Duration;

use adapter_notification as notification;
use adapter_postgres::Database;
use sqlx::migrate::Migrator;

use super::fresh_database;
use crate::migrate;

/// How many migrations a program of the version before has.
const BEFORE: usize = 3;

#[tokio::test]
async fn a_program_of_the_version_before_starts_after_a_newer_one() {
    let database = database().await;
    migrate(&database).await.unwrap();
    database.migrate(of_the_version_before(), "ordering").await.unwrap();
}

#[tokio::test]
async fn a_migration_that_finds_its_table_in_use_is_put_off_and_holds_nobody_up() {
    let database = database().await;
    database.migrate(of_the_version_before(), "ordering").await.unwrap();
    let mut reader = database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM ordering.outbox").execute(&mut *reader).await.unwrap();

    let refused = migrate(&database).await.unwrap_err();
    assert!(refused.is_unavailable(), "it is to be tried again: {refused:?}");
    let others = notification::migrate(&database);
    tokio::time::timeout(Duration::from_secs(5), others).await.unwrap().unwrap();

    reader.rollback().await.unwrap();
    migrate(&database).await.unwrap();
}

async fn database() -> Database {
    crate::database(&fresh_database().await.unwrap().args(), "migrating").unwrap()
}

fn of_the_version_before() -> Migrator {
    let all = sqlx::migrate!("../../migrations/ordering");
    Migrator { migrations: all.migrations[..BEFORE].to_vec().into(), ..all }
}

/// What a schema holds of an outbox: tables with their columns, constraints, indexes, sequences, the
/// view, and functions. The schema's name is left out of definitions.
const HOLDS: &str = "
SELECT line FROM (
    SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                  a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND c.relnamespace = $1::text::regnamespace
    UNION ALL
    SELECT format('%s %s', conrelid::regclass, replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
    FROM pg_constraint WHERE connamespace = $1::text::regnamespace
    UNION ALL
    SELECT format('%s %s', relname, pg_get_indexdef(oid))
    FROM pg_class WHERE relkind IN ('i', 'I') AND relnamespace = $1::text::regnamespace
    UNION ALL
    SELECT format('%s %s %s', sequencename, start_value, cache_size)
    FROM pg_sequences WHERE schemaname = $1
    UNION ALL
    SELECT pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v' AND relnamespace = $1::text::regnamespace
    UNION ALL
    SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = $1::text::regnamespace
    UNION ALL
    SELECT format('%s %s: %s', classoid::regclass, pg_describe_object(classoid, objoid, objsubid),
                  description)
    FROM pg_description
    WHERE objoid IN (SELECT oid FROM pg_class WHERE relnamespace = $1::text::regnamespace
                     UNION SELECT oid FROM pg_proc WHERE pronamespace = $1::text::regnamespace)
) AS held (line)
WHERE line ~ '(outbox|topics|timeline)' AND line !~ '_migrations|sequence'
ORDER BY line COLLATE \"C\"";

#[tokio::test]
async fn the_outbox_of_ordering_is_like_that_of_any_other_context() {
    let ordering = database().await;
    migrate(&ordering).await.unwrap();
    let other = ordering.clone().in_schema("other");
    adapter_outbox::migrate(&other).await.unwrap();
    let holds = async |database: &Database| {
        let lines: Vec<String> = sqlx::query_scalar(HOLDS)
            .bind(database.schema())
            .fetch_all(database.pool())
            .await
            .unwrap();
        let schema = database.schema();
        let bare = lines.into_iter().map(|line| line.replace(&format!("{schema}."), ""));
        bare.map(|line| line.replace(&format!("'{schema}'"), "''")).collect::<Vec<_>>()
    };
    let (ordering, other) = (holds(&ordering).await, holds(&other).await);
    assert!(other.len() > 100, "{other:#?}");
    for line in &other {
        assert!(ordering.contains(line), "ordering lacks {line}");
    }
}
