use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::instance::Instance;
use crate::place::Place;

/// How long a small demo may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn the_demo_ends_well_when_all_is_well() {
    let place = Place::new("demo");
    let (demo, _) = Instance::begin(place.command().args(["demo", "--orders=50", "--rate=50"]));
    assert_eq!(demo.ends_within(PATIENCE), (Some(0), Vec::new()));
    assert!(!place.has_postgres(), "the demo left Postgres behind");
}

#[test]
fn the_demo_fails_when_orders_do_not_show_up_where_they_should() {
    let place = Place::new("lost");
    let mut instance = Instance::start(&mut place.command());
    // A pharmacy that nobody can ask: it may have every order, and nobody can tell.
    let note = place.home.join("endpoints.json");
    let mut endpoints: Value = serde_json::from_slice(&fs::read(&note).unwrap()).unwrap();
    endpoints["pharmacy_order"] = "http://127.0.0.1:9".into();
    fs::write(&note, endpoints.to_string()).unwrap();
    let demo = ["demo", "--orders=10", "--rate=50", "--patience=2"];
    let (demo, _) = Instance::begin(place.command().args(demo));
    let (code, said) = demo.ends_within(PATIENCE);
    assert_eq!(code, Some(1), "{said:#?}");
    assert!(instance.is_alive());
}
