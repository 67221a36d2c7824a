//! The embedded Postgres, for real.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use adapter_postgres::Database;
use embedded_postgres::testing::fresh_database;
use embedded_postgres::{EmbeddedPostgres, PostgresSettings};
use runtime::clock;
use runtime::one_line;
use sqlx::{Connection, Executor, PgConnection};

/// A folder for one test's server.
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

    async fn refusal(&self) -> String {
        refusal(&self.0).await
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

async fn refusal(home: &Path) -> String {
    let error = EmbeddedPostgres::start(&settings(home)).await.unwrap_err();
    let line = one_line(&error);
    assert!(!line.contains('\n'), "{line}");
    line
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(url).await
}

async fn ask(url: &str, question: &'static str) -> String {
    let mut connection = connect(url).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_fresh_database_answers() {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&fresh.args(), "test").unwrap();
    assert_eq!(database.ping().await, Ok(()));
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
async fn what_was_stored_is_there_after_a_restart() {
    let home = Home::new();
    let postgres = home.start().await;
    postgres.create_database("orders").await.unwrap();
    let mut connection = connect(&postgres.url("orders")).await.unwrap();
    connection.execute("CREATE TABLE t AS SELECT 'kept' AS value").await.unwrap();
    connection.close().await.unwrap();
    postgres.stop().await;

    let again = home.start().await;
    again.create_database("orders").await.unwrap();
    assert_eq!(ask(&again.url("orders"), "SELECT value FROM t").await, "kept");
    again.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_that_only_its_owner_reads() {
    let home = Home::new();
    let postgres = home.start().await;
    let url = postgres.url("postgres");
    let password = fs::read_to_string(home.path("password")).unwrap();
    assert!(connect(&url).await.is_ok());
    assert!(connect(&url.replace(password.trim(), "guess")).await.is_err());
    assert_eq!(fs::metadata(home.path("password")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(ask(&url, "SHOW listen_addresses").await, "127.0.0.1");
    assert_eq!(ask(&url, "SHOW unix_socket_directories").await, "");
    postgres.stop().await;
}

#[tokio::test]
async fn the_databases_are_the_same_on_every_host() {
    let home = Home::new();
    let postgres = home.start().await;
    let url = postgres.url("postgres");
    assert_eq!(ask(&url, "SHOW server_encoding").await, "UTF8");
    assert_eq!(ask(&url, "SHOW lc_messages").await, "C");
    let collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()";
    assert_eq!(ask(&url, collation).await, "C");
    assert_eq!(ask(&url, "SHOW timezone").await, "UTC");
    postgres.stop().await;
}

#[tokio::test]
async fn a_second_instance_on_the_same_folder_is_refused() {
    let home = Home::new();
    let postgres = home.start().await;
    let refusal = home.refusal().await;
    assert!(refusal.contains("another instance uses"), "{refusal}");
    assert_eq!(ask(&postgres.url("postgres"), "SELECT 'unharmed'").await, "unharmed");
    postgres.stop().await;
}

/// Plays both parts: the test, and, in a process of its own, the parent that is killed.
#[tokio::test]
async fn a_killed_parent_leaves_no_server_behind_and_its_data_stay() {
    const NAME: &str = "a_killed_parent_leaves_no_server_behind_and_its_data_stay";
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
    let said = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = { said }.find_map(|line| Some(line.strip_prefix("serving ")?.to_owned())).unwrap();
    let mut connection = connect(&url).await.unwrap();
    connection.execute("CREATE TABLE t AS SELECT 'kept' AS value").await.unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();

    // At once, while the server is still stopping.
    let again = home.start().await;
    assert_eq!(ask(&again.url("postgres"), "SELECT value FROM t").await, "kept");
    assert!(connect(&url).await.is_err(), "the first server is gone");
    again.stop().await;
    assert!(!home.path("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_server_dropped_stops_by_itself() {
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

// Elsewhere Postgres judges by itself, and is wrong here.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_left_by_a_killed_server_is_no_obstacle() {
    let home = Home::new();
    home.start().await.stop().await;
    // The number of a process that is there, of the account that runs the server, and no server.
    let owner = fs::metadata(home.path("postgres")).unwrap();
    let mut command = Command::new("sleep");
    std::os::unix::process::CommandExt::uid(&mut command, owner.uid());
    let mut somebody = command.arg("600").spawn().unwrap();
    let content =
        format!("{}\n{}\n0\n1\n\n127.0.0.1\n", somebody.id(), home.path("postgres").display());
    fs::write(home.path("postgres/postmaster.pid"), content).unwrap();
    let started = EmbeddedPostgres::start(&settings(&home.0)).await;
    somebody.kill().unwrap();
    somebody.wait().unwrap();
    started.unwrap().stop().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused() {
    let outer = Home::new();
    fs::create_dir(&outer.0).unwrap();
    // To root's servers this is a private home; to anybody's, a folder that takes no files.
    fs::set_permissions(&outer.0, fs::Permissions::from_mode(0o500)).unwrap();
    let refusal = refusal(&outer.path("data")).await;
    assert!(refusal.starts_with("ORDERS_DATA_DIR is wrong"), "{refusal}");
    assert!(refusal.contains("name another folder"), "{refusal}");
    assert!(!outer.path("data").exists(), "nothing is left there");
    fs::set_permissions(&outer.0, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_is_refused() {
    let home = Home::new();
    fs::write(&home.0, "").unwrap();
    let refusal = home.refusal().await;
    assert!(refusal.starts_with("ORDERS_DATA_DIR is wrong: cannot write to"), "{refusal}");
    fs::remove_file(&home.0).unwrap();
}

#[tokio::test]
async fn a_password_that_is_not_the_servers_is_told() {
    let home = Home::new();
    home.start().await.stop().await;
    fs::write(home.path("password"), "another\n").unwrap();
    let told = home.refusal().await;
    assert!(told.contains("the password in"), "{told}");
    fs::remove_file(home.path("password")).unwrap();
    let told = home.refusal().await;
    assert!(told.contains("cannot read the server's password"), "{told}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let home = Home::new();
    home.start().await.stop().await;
    fs::write(home.path("postgres/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let told = home.refusal().await;
    assert!(told.contains("postgres.log") && told.contains("FATAL"), "{told}");
}

#[tokio::test]
async fn a_long_path_with_spaces_will_do() {
    let home = Home::new();
    let deep = home.path(&format!("{}/of 'Orders'", "a long path ".repeat(12)));
    let postgres = EmbeddedPostgres::start(&settings(&deep)).await.unwrap();
    assert_eq!(ask(&postgres.url("postgres"), "SELECT 'here'").await, "here");
    postgres.stop().await;
}
