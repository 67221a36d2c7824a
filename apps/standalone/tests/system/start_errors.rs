//! A start that cannot succeed fails at once with one line, and leaves no process running.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::Sandbox;

/// The user id of `nobody` on most systems.
const NOBODY: u32 = 65534;

/// Runs the program, which must exit with 1. Returns its only line on standard error.
fn start_error(sandbox: &Sandbox, command: &mut Command) -> String {
    let (instance, _) = Instance::spawn(command);
    let (code, stderr) = instance.wait_for_exit(Duration::from_secs(20));
    assert_eq!((code, stderr.len()), (Some(1), 1), "{stderr:#?}");
    assert!(stderr[0].starts_with("error: "), "{stderr:?}");
    sandbox.wait_until_postgres_is_gone();
    stderr[0].clone()
}

#[test]
fn a_taken_port_is_reported_before_anything_is_started() {
    let sandbox = Sandbox::new("port");
    for step in 0..6 {
        let _taken = TcpListener::bind(("127.0.0.1", sandbox.port + step)).unwrap();
        let error = start_error(&sandbox, &mut sandbox.command());
        let addr = format!("127.0.0.1:{}", sandbox.port + step);
        let variable = if step < 5 { "ORDERS_PORT" } else { "ORDERS_MAIL_PORT" };
        assert!(error.contains(&addr) && error.contains(variable), "{error}");
        assert!(!sandbox.home.exists());
    }
}

#[test]
fn a_folder_that_postgres_cannot_write_is_refused() {
    let sandbox = Sandbox::new("readonly");
    fs::create_dir(&sandbox.home).unwrap();
    fs::write(sandbox.home.join("other-file"), "data").unwrap();
    fs::set_permissions(&sandbox.home, fs::Permissions::from_mode(0o555)).unwrap();
    let error = start_error(&sandbox, &mut sandbox.command());
    assert!(error.contains("ORDERS_DATA_DIR") && error.contains("written"), "{error}");
}

#[test]
fn a_folder_in_a_private_home_is_refused() {
    let mut sandbox = Sandbox::new("private");
    let private = sandbox.home.clone();
    fs::create_dir(&private).unwrap();
    // Postgres cannot run as root, so it runs as another user, who cannot enter the folder.
    let mode = if is_root() { 0o700 } else { 0o500 };
    fs::set_permissions(&private, fs::Permissions::from_mode(mode)).unwrap();
    sandbox.home = private.join("orders");
    let error = start_error(&sandbox, &mut sandbox.command());
    assert!(error.contains("ORDERS_DATA_DIR") && error.contains("another folder"), "{error}");
    assert!(!sandbox.home.exists());
    sandbox.home = private;
}

#[test]
fn an_ordinary_user_gets_an_equally_clear_error() {
    if !is_root() {
        // Then all other tests run as an ordinary user.
        return;
    }
    let mut sandbox = Sandbox::new("ordinary");
    let program = accessible_copy(&sandbox);
    let root = sandbox.home.clone();
    sandbox.home = root.join("orders");
    let error = start_error(&sandbox, sandbox.command_of(&program).uid(NOBODY).gid(NOBODY));
    assert!(error.contains("ORDERS_DATA_DIR") && error.contains("cannot write to"), "{error}");
    sandbox.home = root;
}

#[test]
fn a_second_instance_on_the_same_folder_fails() {
    let sandbox = Sandbox::new("twice");
    let mut first = Instance::start(&mut sandbox.command());
    let (second, _) = Instance::spawn(&mut sandbox.command());
    let (code, stderr) = second.wait_for_exit(Duration::from_secs(20));
    assert_eq!((code, stderr.len()), (Some(1), 1), "{stderr:#?}");
    assert!(stderr[0].contains("is already in use"), "{stderr:?}");

    let elsewhere = Sandbox::new("elsewhere");
    let mut command = elsewhere.command();
    let (third, _) = Instance::spawn(command.env("ORDERS_DATA_DIR", &sandbox.home));
    let (code, stderr) = third.wait_for_exit(Duration::from_secs(20));
    assert_eq!((code, stderr.len()), (Some(1), 1), "{stderr:#?}");
    assert!(stderr[0].contains("another instance uses"), "{stderr:?}");
    assert!(first.is_alive() && sandbox.is_postgres_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_the_login_is_a_start_error() {
    let sandbox = Sandbox::new("database");
    let external = ExternalServices::start().await;
    let url = external.database_url();
    let (before, after) = url.rsplit_once('@').unwrap();
    let (address, _) = after.split_once('/').unwrap();
    let (user, _) = before.rsplit_once(':').unwrap();
    for (wrong, reason) in [
        (format!("{user}:wrong@{after}"), "password authentication failed"),
        (format!("{before}@{address}/elsewhere"), "does not exist"),
    ] {
        // The database is first used by the program itself, or by its services.
        let mut alone = sandbox.command();
        let mut command = sandbox.command();
        let configured = external.configure(&mut command);
        for command in [alone.env("DATABASE_URL", &wrong), configured.env("DATABASE_URL", &wrong)] {
            let error = start_error(&sandbox, command);
            assert!(error.contains(reason) && !error.contains("wrong@"), "{error}");
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// Copies the program to a folder where any user can run it.
fn accessible_copy(sandbox: &Sandbox) -> PathBuf {
    fs::create_dir(&sandbox.home).unwrap();
    fs::set_permissions(&sandbox.home, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = sandbox.home.join("program");
    fs::copy(Path::new(env!("CARGO_BIN_EXE_standalone")), &copy).unwrap();
    copy
}
