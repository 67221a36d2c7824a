//! Tests of migrations while programs of other versions run.

use std::time::Duration;

use adapter_outbox::OutboxCheck;
use adapter_postgres::{ContextTables, Database, MigrationGate, Migrations};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fresh_database;
use crate::TABLES;

/// The number of migrations in the previous version.
const BEFORE: usize = 3;

/// The tables as the previous version of the programs knows them.
static PREVIOUS: ContextTables = ContextTables {
    migrations: &[Migrations { files: previous_version, recorded_in: "_migrations" }],
    ..TABLES
};

/// A context that has only an outbox.
static OTHER: ContextTables =
    ContextTables { schema: "other", program: "other", migrations: &[adapter_outbox::MIGRATIONS] };

fn previous_version() -> Migrator {
    first_migrations(BEFORE)
}

fn first_migrations(count: usize) -> Migrator {
    let all = sqlx::migrate!("../../migrations/ordering");
    Migrator { migrations: all.migrations[..count].to_vec().into(), ..all }
}

/// The same fresh database, for each of these contexts.
async fn databases<const N: usize>(contexts: [&'static ContextTables; N]) -> [Database; N] {
    let args = fresh_database().await.unwrap().args();
    contexts.map(|tables| Database::new(tables, &args, "migrating").unwrap())
}

#[tokio::test]
async fn a_program_of_the_previous_version_starts_after_a_newer_one() {
    let [database, previous] = databases([&TABLES, &PREVIOUS]).await;
    database.migrate().await.unwrap();
    previous.migrate().await.unwrap();
}

#[tokio::test]
async fn a_migration_of_a_table_in_use_fails_as_unavailable_and_blocks_no_other_migration() {
    let [database, previous, others] =
        databases([&TABLES, &PREVIOUS, &adapter_notification::TABLES]).await;
    previous.migrate().await.unwrap();
    let mut reader = database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM ordering.outbox").execute(&mut *reader).await.unwrap();

    let refused = database.migrate().await.unwrap_err();
    assert!(refused.is_unavailable(), "it can be retried: {refused:?}");
    tokio::time::timeout(Duration::from_secs(5), others.migrate()).await.unwrap().unwrap();

    reader.rollback().await.unwrap();
    database.migrate().await.unwrap();
}

/// The longest wait of 90 of 100 writers while a migration waits for a reader. On a machine that does
/// nothing else, 99 of 100 wait less than 300 ms.
const WRITERS_WAIT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn writers_do_not_wait_behind_a_migration_that_waits_for_a_reader() {
    let all = sqlx::migrate!("../../migrations/ordering").migrations.len();
    for before in 1..all {
        let args = fresh_database().await.unwrap().args();
        let pool = PgPool::connect(args.url().unwrap().1.reveal()).await.unwrap();
        let mut older = first_migrations(before);
        older.dangerous_set_table_name("ordering._migrations");
        older.create_schema("ordering");
        older.run(&pool).await.unwrap();
        let mut reader = pool.begin().await.unwrap();
        sqlx::query("SELECT FROM ordering.orders").execute(&mut *reader).await.unwrap();

        let database = Database::new(&TABLES, &args, "migrating").unwrap();
        let migration =
            tokio::spawn(async move { MigrationGate::default().prepare(&database).await });
        let mut waits = writer_waits(&pool).await;
        reader.rollback().await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), migration).await.unwrap().unwrap().unwrap();
        waits.sort_unstable();
        let p90 = waits[waits.len() * 9 / 10];
        let p99 = waits[waits.len() * 99 / 100];
        println!("from migration {before}: p90 {p90:?}, p99 {p99:?}");
        assert!(p90 <= WRITERS_WAIT, "from migration {before}: {p90:?}");
    }
}

/// The number of migrations before orders followed the pharmacy.
const BEFORE_PHARMACY: usize = 8;

#[tokio::test]
async fn orders_get_new_statuses_without_a_rewrite_of_their_table() {
    let args = fresh_database().await.unwrap().args();
    let pool = PgPool::connect(args.url().unwrap().1.reveal()).await.unwrap();
    let mut older = first_migrations(BEFORE_PHARMACY);
    older.dangerous_set_table_name("ordering._migrations");
    older.create_schema("ordering");
    older.run(&pool).await.unwrap();
    let insert =
        "INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at)
                  SELECT gen_random_uuid(), 'Ada', '[]', 'created', 1, now()";
    sqlx::query(insert).execute(&pool).await.unwrap();
    let file = "SELECT pg_relation_filenode('ordering.orders')::bigint";
    let before: i64 = sqlx::query_scalar(file).fetch_one(&pool).await.unwrap();

    Database::new(&TABLES, &args, "migrating").unwrap().migrate().await.unwrap();
    let after: i64 = sqlx::query_scalar(file).fetch_one(&pool).await.unwrap();
    assert_eq!(after, before);
    let unchecked = "SELECT conname::text FROM pg_constraint
                     WHERE conrelid = 'ordering.orders'::regclass AND NOT convalidated";
    let unchecked: Vec<String> = sqlx::query_scalar(unchecked).fetch_all(&pool).await.unwrap();
    assert_eq!(unchecked, Vec::<String>::new());
}

/// How long each of 100 writers per second waits for its lock on the table of orders, for two seconds.
async fn writer_waits(pool: &PgPool) -> Vec<Duration> {
    let mut writers = JoinSet::new();
    let mut starts = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..200 {
        starts.tick().await;
        let pool = pool.clone();
        writers.spawn(async move {
            let start = Instant::now();
            let mut writer = pool.begin().await.unwrap();
            let lock = "LOCK TABLE ordering.orders IN ROW EXCLUSIVE MODE";
            sqlx::query(lock).execute(&mut *writer).await.unwrap();
            writer.commit().await.unwrap();
            start.elapsed()
        });
    }
    writers.join_all().await
}

/// The definitions of the outbox in a schema: columns, constraints, indexes, sequences, the view,
/// functions and comments.
const DEFINITIONS: &str = "
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
) AS definition (line)
WHERE line ~ '(outbox|topics|timeline)' AND line !~ '_migrations|sequence'
ORDER BY line COLLATE \"C\"";

#[tokio::test]
async fn the_outbox_of_ordering_has_the_same_definitions_as_that_of_any_other_context() {
    let [ordering, other] = databases([&TABLES, &OTHER]).await;
    ordering.migrate().await.unwrap();
    other.migrate().await.unwrap();
    let definitions = async |database: &Database| {
        let lines: Vec<String> = sqlx::query_scalar(DEFINITIONS)
            .bind(database.schema())
            .fetch_all(database.pool())
            .await
            .unwrap();
        let schema = database.schema();
        let without_schema = lines.into_iter().map(|line| line.replace(&format!("{schema}."), ""));
        without_schema.map(|line| line.replace(&format!("'{schema}'"), "''")).collect::<Vec<_>>()
    };
    let (ordering, other) = (definitions(&ordering).await, definitions(&other).await);
    assert!(other.len() > 100, "{other:#?}");
    for line in &other {
        assert!(ordering.contains(line), "ordering lacks {line}");
    }
}

#[tokio::test]
async fn the_outbox_of_any_context_passes_its_check() {
    let [other] = databases([&OTHER]).await;
    other.migrate().await.unwrap();
    assert_eq!(OutboxCheck::new(&other, &crate::OUTBOX, false).run().await.unwrap(), None);
}
