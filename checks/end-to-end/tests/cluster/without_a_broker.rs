use std::time::{Duration, Instant};

use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size, each_counts_more};
use end_to_end::{outsider, read_models};

/// How many orders are placed in a second meanwhile.
const RATE: u32 = 200;

/// How long a broker that hangs may hold events up: the controllers give up on it after 9 s, and clients after 10 s.
const LEADERLESS: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_broker_that_crashes_while_orders_flow_costs_no_event() {
    let cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = outsider::ends();
    let customers = Customers::come(fleet.counters(), RATE);

    more_is_published(&fleet).await;
    cluster.does(&["kill-broker", "2"]);
    more_is_published(&fleet).await;
    cluster.does(&["start-broker", "2"]);
    cluster.does(&["in-sync"]);
    more_is_published(&fleet).await;

    let orders = customers.leave().await;
    read_models::hold_each_once(&fleet, &orders).await;
    outsider::tells_all_in_order(&before, &orders);
    fleet.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_broker_that_hangs_while_orders_flow_costs_no_event_and_holds_none_up_for_long() {
    let cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = outsider::ends();
    let customers = Customers::come(fleet.counters(), RATE);

    more_is_published(&fleet).await;
    // It keeps its connections and says nothing more, so nobody is told that it is gone.
    cluster.does(&["pause-broker", "2"]);
    let hanging = Instant::now();
    more_is_published(&fleet).await;
    let orders = customers.leave().await;
    read_models::hold_each_once(&fleet, &orders).await;
    let held_up = hanging.elapsed();
    cluster.does(&["resume-broker", "2"]);
    println!("{} orders are in both read models {held_up:?} later", orders.len());
    assert!(held_up < LEADERLESS, "{held_up:?}");
    cluster.does(&["in-sync"]);

    outsider::tells_all_in_order(&before, &orders);
    fleet.stop();
}

/// Waits until every relay has published a good deal more.
async fn more_is_published(fleet: &Fleet) {
    each_counts_more(&fleet.relays, "relay_published_total", 100).await;
}
