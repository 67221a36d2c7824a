use std::time::{Duration, Instant};

use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size, wait_until_each_counted};
use end_to_end::order_load::OrderLoad;
use end_to_end::quick::unless_quick;
use end_to_end::{external_clients, read_models};

/// Maximum delay of events when a broker hangs: the controllers time out after 9 s, records after
/// 10 s, and requests of clients after 4 s. The events of a cancelled order pass three relays.
const MAX_DELAY: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn no_event_is_lost_when_a_broker_crashes_under_load() {
    let cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = external_clients::end_offsets();
    let load = OrderLoad::start(fleet.api_urls(), unless_quick(200, 50));

    wait_until_more_is_published(&fleet).await;
    cluster.run(&["kill-broker", "2"]);
    wait_until_more_is_published(&fleet).await;
    cluster.run(&["start-broker", "2"]);
    cluster.run(&["in-sync"]);
    wait_until_more_is_published(&fleet).await;

    let orders = load.stop().await;
    read_models::wait_until_each_once(&fleet, &orders).await;
    external_clients::assert_all_in_order(&before, &orders);
    fleet.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn no_event_is_lost_or_delayed_for_long_when_a_broker_hangs_under_load() {
    let cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = external_clients::end_offsets();
    let load = OrderLoad::start(fleet.api_urls(), unless_quick(200, 50));

    wait_until_more_is_published(&fleet).await;
    // The broker keeps its connections open but does not respond.
    cluster.run(&["pause-broker", "2"]);
    let hanging = Instant::now();
    wait_until_more_is_published(&fleet).await;
    let orders = load.stop().await;
    read_models::wait_until_each_once(&fleet, &orders).await;
    let delay = hanging.elapsed();
    cluster.run(&["resume-broker", "2"]);
    println!("{} orders are in both read models {delay:?} later", orders.len());
    assert!(delay < MAX_DELAY, "{delay:?}");
    cluster.run(&["in-sync"]);

    external_clients::assert_all_in_order(&before, &orders);
    fleet.stop();
}

/// Waits until every relay has published 100 more events.
async fn wait_until_more_is_published(fleet: &Fleet) {
    wait_until_each_counted(&fleet.relays, "relay_published_total", 100).await;
}
