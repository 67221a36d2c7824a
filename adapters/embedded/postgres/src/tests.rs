//! Which Postgres is taken, on hosts that have this or that.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use runtime::{StartError, clock, one_line};

use super::download::Downloads;
use super::search::Search;
use super::{EmbeddedPostgres, PostgresSettings};

/// A folder of one test's own, open to all.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("orders-test-{:08x}", clock::random() >> 96);
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn settings(&self) -> PostgresSettings {
        PostgresSettings { home: self.path("home"), keep: true }
    }

    /// Programs that only say which version they are.
    fn programs(&self, version: &str) -> PathBuf {
        let folder = self.path(version);
        fs::create_dir(&folder).unwrap();
        for name in ["postgres", "initdb"] {
            let program = folder.join(name);
            let script = format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n");
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    /// Data of a server of another version.
    fn data_of(&self, major: &str) {
        fs::create_dir_all(self.path("home/postgres")).unwrap();
        fs::write(self.path("home/postgres/PG_VERSION"), format!("{major}\n")).unwrap();
        fs::set_permissions(self.path("home"), fs::Permissions::from_mode(0o777)).unwrap();
    }

    async fn start(&self, search: Search) -> Result<EmbeddedPostgres, StartError> {
        let offline = Downloads { cache: self.path("cache"), sources: &[] };
        EmbeddedPostgres::start_with(&self.settings(), &search, &offline).await
    }

    async fn refusal(&self, search: Search) -> String {
        let line = one_line(&self.start(search).await.unwrap_err());
        assert!(!line.contains('\n'));
        line
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn given(folder: PathBuf) -> Search {
    Search { given: Some(folder), folders: Vec::new() }
}

fn installed(folders: &[&Path]) -> Search {
    Search { given: None, folders: folders.iter().map(|folder| (*folder).to_owned()).collect() }
}

#[tokio::test]
async fn where_there_is_no_postgres_all_ways_out_are_told() {
    let refusal = Scratch::new().refusal(installed(&[])).await;
    for way in ["install Postgres 17", "PG_BIN", "DATABASE_URL"] {
        assert!(refusal.contains(way), "{refusal}");
    }
}

#[tokio::test]
async fn a_given_folder_without_a_server_is_refused_though_another_is_installed() {
    let scratch = Scratch::new();
    let mut search = Search::of_this_host();
    search.given = Some(scratch.path("nothing"));
    let refusal = scratch.refusal(search).await;
    assert!(refusal.starts_with("PG_BIN is wrong") && refusal.contains("nothing"), "{refusal}");
}

#[tokio::test]
async fn a_postgres_that_is_too_old_is_refused_when_given_and_passed_over_when_installed() {
    let scratch = Scratch::new();
    let old = scratch.programs("9.6.24");
    let refusal = scratch.refusal(given(old.clone())).await;
    assert!(refusal.contains("holds Postgres 9; 15 or later"), "{refusal}");
    let refusal = scratch.refusal(installed(&[&old])).await;
    assert!(refusal.contains("no Postgres that fits is installed"), "{refusal}");
}

#[tokio::test]
async fn data_of_another_version_are_refused_by_both_versions() {
    let scratch = Scratch::new();
    scratch.data_of("16");
    let refusal = scratch.refusal(given(scratch.programs("17.5"))).await;
    assert!(refusal.contains("holds Postgres 17") && refusal.contains("are of Postgres 16"));
    let refusal = scratch.refusal(installed(&[&scratch.path("17.5")])).await;
    assert!(refusal.contains("install Postgres 16"), "{refusal}");
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_left_alone() {
    let scratch = Scratch::new();
    scratch.data_of("");
    let refusal = scratch.refusal(given(scratch.programs("17.5"))).await;
    assert!(refusal.contains("holds no data of a Postgres server"), "{refusal}");
    assert!(scratch.path("home/postgres/PG_VERSION").exists());
}

#[tokio::test]
async fn what_was_downloaded_before_is_used_again() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path("cache/postgres-17")).unwrap();
    fs::rename(scratch.programs("17.5"), scratch.path("cache/postgres-17/bin")).unwrap();
    // These programs make no data, which is told, so they were taken.
    let refusal = scratch.refusal(installed(&[])).await;
    assert!(refusal.starts_with("cannot make the Postgres data folder"), "{refusal}");
}
