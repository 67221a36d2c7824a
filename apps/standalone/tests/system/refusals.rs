//! What cannot work is said at once, in one line, and nothing is left running.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::instance::Instance;
use crate::place::Place;
use crate::world::World;

/// The account `nobody`, on the usual systems.
const NOBODY: u32 = 65534;

/// The one line it says before it exits with 1.
fn refusal(place: &Place, command: &mut Command) -> String {
    let (instance, _) = Instance::begin(command);
    let (code, said) = instance.ends_within(Duration::from_secs(20));
    assert_eq!((code, said.len()), (Some(1), 1), "{said:#?}");
    assert!(said[0].starts_with("error: "), "{said:?}");
    place.outlives_postgres();
    said[0].clone()
}

#[test]
fn a_taken_port_is_told_before_anything_is_started() {
    let place = Place::new("port");
    for step in 0..5 {
        let _taken = TcpListener::bind(("127.0.0.1", place.port + step)).unwrap();
        let said = refusal(&place, &mut place.command());
        let addr = format!("127.0.0.1:{}", place.port + step);
        assert!(said.contains(&addr) && said.contains("ORDERS_PORT"), "{said}");
        assert!(!place.home.exists());
    }
}

#[test]
fn a_folder_that_the_account_of_postgres_cannot_write_is_refused() {
    let place = Place::new("readonly");
    fs::create_dir(&place.home).unwrap();
    fs::write(place.home.join("somebody's"), "data").unwrap();
    fs::set_permissions(&place.home, fs::Permissions::from_mode(0o555)).unwrap();
    let said = refusal(&place, &mut place.command());
    assert!(said.contains("ORDERS_DATA_DIR") && said.contains("written"), "{said}");
}

#[test]
fn a_folder_in_a_private_home_is_refused() {
    let mut place = Place::new("private");
    let private = place.home.clone();
    fs::create_dir(&private).unwrap();
    // Postgres has to run under another account than root; to anybody else it is simply closed.
    let mode = if is_root() { 0o700 } else { 0o500 };
    fs::set_permissions(&private, fs::Permissions::from_mode(mode)).unwrap();
    place.home = private.join("orders");
    let said = refusal(&place, &mut place.command());
    assert!(said.contains("ORDERS_DATA_DIR") && said.contains("another folder"), "{said}");
    assert!(!place.home.exists());
    place.home = private;
}

#[test]
fn an_ordinary_user_gets_as_clear_a_line() {
    if !is_root() {
        // Then all the other tests are run by one.
        return;
    }
    let mut place = Place::new("ordinary");
    let program = within_reach(&place);
    let root = place.home.clone();
    place.home = root.join("orders");
    let said = refusal(&place, place.command_of(&program).uid(NOBODY).gid(NOBODY));
    assert!(said.contains("ORDERS_DATA_DIR") && said.contains("cannot write to"), "{said}");
    place.home = root;
}

#[test]
fn started_twice_on_one_folder_the_second_gives_way() {
    let place = Place::new("twice");
    let mut first = Instance::start(&mut place.command());
    let (second, _) = Instance::begin(&mut place.command());
    let (code, said) = second.ends_within(Duration::from_secs(20));
    assert_eq!((code, said.len()), (Some(1), 1), "{said:#?}");
    assert!(said[0].contains("is taken"), "{said:?}");

    let elsewhere = Place::new("elsewhere");
    let mut command = elsewhere.command();
    let (third, _) = Instance::begin(command.env("ORDERS_DATA_DIR", &place.home));
    let (code, said) = third.ends_within(Duration::from_secs(20));
    assert_eq!((code, said.len()), (Some(1), 1), "{said:#?}");
    assert!(said[0].contains("another instance uses"), "{said:?}");
    assert!(first.is_alive() && place.has_postgres());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_is_no_outage() {
    let place = Place::new("database");
    let world = World::start().await;
    let url = world.database_url();
    let (before, after) = url.rsplit_once('@').unwrap();
    let (address, _) = after.split_once('/').unwrap();
    let (user, _) = before.rsplit_once(':').unwrap();
    for (wrong, reason) in [
        (format!("{user}:wrong@{after}"), "password authentication failed"),
        (format!("{before}@{address}/elsewhere"), "does not exist"),
    ] {
        // Whether the program itself is the first to use it, or its services are.
        let mut alone = place.command();
        let mut command = place.command();
        let lent = world.lend_to(&mut command);
        for command in [alone.env("DATABASE_URL", &wrong), lent.env("DATABASE_URL", &wrong)] {
            let said = refusal(&place, command);
            assert!(said.contains(reason) && !said.contains("wrong@"), "{said}");
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// A copy of the program where any account can run it.
fn within_reach(place: &Place) -> PathBuf {
    fs::create_dir(&place.home).unwrap();
    fs::set_permissions(&place.home, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.home.join("program");
    fs::copy(Path::new(env!("CARGO_BIN_EXE_standalone")), &copy).unwrap();
    copy
}
