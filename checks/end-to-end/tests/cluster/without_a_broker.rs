use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size, each_counts_more};
use end_to_end::order::events;
use end_to_end::{outsider, read_models};

/// How many orders are placed in a second meanwhile.
const RATE: u32 = 200;

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
    let records = outsider::read_all(&before);
    println!("{} events, {} records", events(&orders), records.len());
    outsider::tells_in_order(&records, &orders);
    fleet.stop();
}

/// Waits until every relay has published a good deal more.
async fn more_is_published(fleet: &Fleet) {
    each_counts_more(&fleet.relays, "relay_published_total", 100).await;
}
