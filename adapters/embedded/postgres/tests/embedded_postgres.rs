//! Tests of the embedded Postgres with a real server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use embedded_postgres::testing::fresh_database;
use embedded_postgres::{EmbeddedPostgres, PostgresSettings};
use runtime::clock;
use runtime::one_line;
use sqlx::{Connection, Executor, PgConnection};

/// A folder for the server of one test.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let name = format!("orders-test-{:08x}", clock::random() >> 96);
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    async fn start(&self) -> EmbeddedPostgres {
        EmbeddedPostgres::start(&settings(&self.0)).await.unwrap()
    }

    async fn start_error(&self) -> String {
        start_error(&self.0).await
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(home: &Path) -> PostgresSettings {
    PostgresSettings { home: home.to_owned(), keep: true }
}

async fn start_error(home: &Path) -> String {
    let error = EmbeddedPostgres::start(&settings(home)).await.unwrap_err();
    let line = one_line(&error);
    assert!(!line.contains('\n'), "{line}");
    line
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(url).await
}

async fn query(url: &str, sql: &'static str) -> String {
    let mut connection = connect(url).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_fresh_database_answers() {
    let fresh = fresh_database().await.unwrap();
    assert_eq!(query(fresh.url(), "SELECT 'yes'").await, "yes");
}

#[tokio::test]
async fn the_log_of_the_server_quotes_no_rows() {
    let home = Home::new();
    let server = home.start().await;
    let mut connection = connect(&server.url("postgres")).await.unwrap();
    connection.execute("CREATE TABLE people (name text CHECK (name < 'Z'))").await.unwrap();
    let zoe = sqlx::query("INSERT INTO people VALUES ($1)").bind("Zoë");
    zoe.execute(&mut connection).await.unwrap_err();
    let log = fs::read_to_string(home.path("postgres.log")).unwrap();
    assert!(log.contains("violates check constraint") && !log.contains("Zo"), "{log}");
    server.stop().await;
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = (fresh_database().await.unwrap(), fresh_database().await.unwrap());
    assert_ne!(one.url(), other.url());
}

#[tokio::test]
async fn data_survives_a_restart() {
    let home = Home::new();
    let postgres = home.start().await;
    postgres.create_database("orders").await.unwrap();
    let mut connection = connect(&postgres.url("orders")).await.unwrap();
    connection.execute("CREATE TABLE t AS SELECT 'kept' AS value").await.unwrap();
    connection.close().await.unwrap();
    postgres.stop().await;

    let again = home.start().await;
    again.create_database("orders").await.unwrap();
    assert_eq!(query(&again.url("orders"), "SELECT value FROM t").await, "kept");
    again.stop().await;
}

#[tokio::test]
async fn connecting_needs_the_password_and_only_the_owner_can_read_it() {
    let home = Home::new();
    let postgres = home.start().await;
    let url = postgres.url("postgres");
    let password = fs::read_to_string(home.path("password")).unwrap();
    assert!(connect(&url).await.is_ok());
    assert!(connect(&url.replace(password.trim(), "guess")).await.is_err());
    assert_eq!(fs::metadata(home.path("password")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(query(&url, "SHOW listen_addresses").await, "127.0.0.1");
    assert_eq!(query(&url, "SHOW unix_socket_directories").await, "");
    postgres.stop().await;
}

#[tokio::test]
async fn encoding_locale_and_time_zone_do_not_depend_on_the_host() {
    let home = Home::new();
    let postgres = home.start().await;
    let url = postgres.url("postgres");
    assert_eq!(query(&url, "SHOW server_encoding").await, "UTF8");
    assert_eq!(query(&url, "SHOW lc_messages").await, "C");
    let collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()";
    assert_eq!(query(&url, collation).await, "C");
    assert_eq!(query(&url, "SHOW timezone").await, "UTC");
    postgres.stop().await;
}

#[tokio::test]
async fn a_second_instance_on_the_same_folder_is_refused() {
    let home = Home::new();
    let postgres = home.start().await;
    let error = home.start_error().await;
    assert!(error.contains("another instance uses"), "{error}");
    assert_eq!(query(&postgres.url("postgres"), "SELECT 'unharmed'").await, "unharmed");
    postgres.stop().await;
}

/// Runs as the test, and in a second process as the parent that is killed.
#[tokio::test]
async fn a_server_stops_when_its_parent_is_killed_and_keeps_its_data() {
    const NAME: &str = "a_server_stops_when_its_parent_is_killed_and_keeps_its_data";
    const HOME: &str = "ORDERS_TEST_HOME";
    if let Some(home) = std::env::var_os(HOME) {
        let postgres = EmbeddedPostgres::start(&settings(Path::new(&home))).await.unwrap();
        println!("\nserving {}", postgres.url("postgres"));
        std::future::pending::<()>().await;
    }

    let home = Home::new();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(HOME, &home.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = { lines }.find_map(|line| Some(line.strip_prefix("serving ")?.to_owned())).unwrap();
    let mut connection = connect(&url).await.unwrap();
    connection.execute("CREATE TABLE t AS SELECT 'kept' AS value").await.unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();

    // Starts at once, while the first server is still stopping.
    let again = home.start().await;
    assert_eq!(query(&again.url("postgres"), "SELECT value FROM t").await, "kept");
    assert!(connect(&url).await.is_err(), "the first server has stopped");
    again.stop().await;
    assert!(!home.path("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let home = Home::new();
    let postgres = home.start().await;
    let url = postgres.url("postgres");
    drop(postgres);
    let deadline = Instant::now() + Duration::from_secs(20);
    while connect(&url).await.is_ok() || home.path("postgres/postmaster.pid").exists() {
        assert!(Instant::now() < deadline, "the server still runs");
        tokio::task::yield_now().await;
    }
}

// Only on Linux. On other systems Postgres checks the file itself, and refuses to start.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_stale_postmaster_pid_does_not_prevent_the_start() {
    let home = Home::new();
    home.start().await.stop().await;
    // The id of a running process of the same account that is not a server.
    let owner = fs::metadata(home.path("postgres")).unwrap();
    let mut command = Command::new("sleep");
    std::os::unix::process::CommandExt::uid(&mut command, owner.uid());
    let mut other_process = command.arg("600").spawn().unwrap();
    let content =
        format!("{}\n{}\n0\n1\n\n127.0.0.1\n", other_process.id(), home.path("postgres").display());
    fs::write(home.path("postgres/postmaster.pid"), content).unwrap();
    let started = EmbeddedPostgres::start(&settings(&home.0)).await;
    other_process.kill().unwrap();
    other_process.wait().unwrap();
    started.unwrap().stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused() {
    let outer = Home::new();
    fs::create_dir(&outer.0).unwrap();
    // For root, another account runs the server and cannot enter this folder. For other users, the
    // folder is not writable.
    fs::set_permissions(&outer.0, fs::Permissions::from_mode(0o500)).unwrap();
    let error = start_error(&outer.path("data")).await;
    assert!(error.starts_with("ORDERS_DATA_DIR is wrong"), "{error}");
    assert!(error.contains("name another folder"), "{error}");
    assert!(!outer.path("data").exists(), "no folder is left");
    fs::set_permissions(&outer.0, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_refused() {
    let home = Home::new();
    fs::write(&home.0, "").unwrap();
    let error = home.start_error().await;
    assert!(error.starts_with("ORDERS_DATA_DIR is wrong: cannot write to"), "{error}");
    fs::remove_file(&home.0).unwrap();
}

#[tokio::test]
async fn a_wrong_or_missing_password_file_is_reported() {
    let home = Home::new();
    home.start().await.stop().await;
    fs::write(home.path("password"), "another\n").unwrap();
    let error = home.start_error().await;
    assert!(error.contains("the password in"), "{error}");
    fs::remove_file(home.path("password")).unwrap();
    let error = home.start_error().await;
    assert!(error.contains("cannot read the server's password"), "{error}");
}

#[tokio::test]
async fn the_error_of_a_failed_start_has_the_reason_and_the_log_file() {
    let home = Home::new();
    home.start().await.stop().await;
    fs::write(home.path("postgres/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = home.start_error().await;
    assert!(error.contains("postgres.log") && error.contains("FATAL"), "{error}");
}

#[tokio::test]
async fn a_long_path_with_spaces_is_accepted() {
    let home = Home::new();
    let deep = home.path(&format!("{}/of 'Orders'", "a long path ".repeat(12)));
    let postgres = EmbeddedPostgres::start(&settings(&deep)).await.unwrap();
    assert_eq!(query(&postgres.url("postgres"), "SELECT 'here'").await, "here");
    postgres.stop().await;
}
