//! Tests of the search for a Postgres installation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use runtime::{StartError, clock, one_line};

use super::download::Downloads;
use super::search::Search;
use super::{EmbeddedPostgres, PostgresSettings};

/// A temporary folder of one test that all accounts can read.
struct TempFolder(PathBuf);

impl TempFolder {
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

    /// Creates programs that only print this version.
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

    /// Creates a data folder of this major version.
    fn create_data(&self, major: &str) {
        fs::create_dir_all(self.path("home/postgres")).unwrap();
        fs::write(self.path("home/postgres/PG_VERSION"), format!("{major}\n")).unwrap();
        fs::set_permissions(self.path("home"), fs::Permissions::from_mode(0o777)).unwrap();
    }

    async fn start(&self, search: Search) -> Result<EmbeddedPostgres, StartError> {
        let offline = Downloads { cache: self.path("cache"), sources: &[] };
        EmbeddedPostgres::start_with(&self.settings(), &search, &offline).await
    }

    async fn start_error(&self, search: Search) -> String {
        let line = one_line(&self.start(search).await.unwrap_err());
        assert!(!line.contains('\n'));
        line
    }
}

impl Drop for TempFolder {
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
async fn the_error_without_postgres_lists_all_solutions() {
    let error = TempFolder::new().start_error(installed(&[])).await;
    for way in ["install Postgres 17", "PG_BIN", "DATABASE_URL"] {
        assert!(error.contains(way), "{error}");
    }
}

#[tokio::test]
async fn pg_bin_without_a_server_is_refused_even_if_postgres_is_installed() {
    let folder = TempFolder::new();
    let mut search = Search::of_this_host();
    search.given = Some(folder.path("nothing"));
    let error = folder.start_error(search).await;
    assert!(error.starts_with("PG_BIN is wrong") && error.contains("nothing"), "{error}");
}

#[tokio::test]
async fn a_too_old_postgres_is_refused_in_pg_bin_and_skipped_in_other_folders() {
    let folder = TempFolder::new();
    let old = folder.programs("9.6.24");
    let error = folder.start_error(given(old.clone())).await;
    assert!(error.contains("has Postgres 9; 15 or later"), "{error}");
    let error = folder.start_error(installed(&[&old])).await;
    assert!(error.contains("no suitable Postgres is installed"), "{error}");
}

#[tokio::test]
async fn data_of_another_major_version_is_refused() {
    let folder = TempFolder::new();
    folder.create_data("16");
    let error = folder.start_error(given(folder.programs("17.5"))).await;
    assert!(error.contains("has Postgres 17") && error.contains("created by Postgres 16"));
    let error = folder.start_error(installed(&[&folder.path("17.5")])).await;
    assert!(error.contains("install Postgres 16"), "{error}");
}

#[tokio::test]
async fn a_folder_with_other_files_is_not_changed() {
    let folder = TempFolder::new();
    folder.create_data("");
    let error = folder.start_error(given(folder.programs("17.5"))).await;
    assert!(error.contains("is not the data of a Postgres server"), "{error}");
    assert!(folder.path("home/postgres/PG_VERSION").exists());
}

#[tokio::test]
async fn a_downloaded_postgres_is_used_again() {
    let folder = TempFolder::new();
    fs::create_dir_all(folder.path("cache/postgres-17")).unwrap();
    fs::rename(folder.programs("17.5"), folder.path("cache/postgres-17/bin")).unwrap();
    // The start fails because these programs create no data, which proves that they were used.
    let error = folder.start_error(installed(&[])).await;
    assert!(error.starts_with("cannot create the Postgres data folder"), "{error}");
}
