use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size, counters, wait_until_each_counted};
use end_to_end::instance::Instance;
use end_to_end::order_load::OrderLoad;
use end_to_end::quick::unless_quick;
use end_to_end::{external_clients, read_models};

/// Number of events that each instance must process before the next change.
const EVENTS_PER_STEP: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn relays_and_consumers_are_added_and_removed_under_load() {
    let _cluster = Cluster::lock().await;
    let mut fleet = Fleet::start(Size { apis: 2, ..Size::SINGLE }).await;
    let before = external_clients::end_offsets();
    let load = OrderLoad::start(fleet.api_urls(), unless_quick(200, 50));

    // New instances take over a part of the work.
    for _ in 0..2 {
        fleet.relays.push(Instance::start("order-jobs").await);
    }
    fleet.pharmacies.push(Instance::start("pharmacy-order").await);
    fleet.notifications.push(Instance::start("notification").await);
    wait_until_all_work(&fleet).await;

    // The first instances stop gracefully: they finish their batches, and nothing is repeated.
    let published = counters(&fleet.relays[..1], "relay_published_total").await[0];
    fleet.relays.remove(0).stop();
    fleet.pharmacies.remove(0).stop();
    fleet.notifications.remove(0).stop();
    println!("the first relay had published {published} events");

    // Others replace them, and some are killed.
    fleet.relays.push(Instance::start("order-jobs").await);
    fleet.pharmacies.push(Instance::start("pharmacy-order").await);
    fleet.notifications.push(Instance::start("notification").await);
    wait_until_all_work(&fleet).await;
    fleet.relays.remove(0).kill();
    fleet.pharmacies.remove(0).kill();
    fleet.notifications.remove(0).kill();
    wait_until_all_work(&fleet).await;

    let orders = load.stop().await;
    read_models::wait_until_each_once(&fleet, &orders).await;
    external_clients::assert_all_in_order(&before, &orders);
    fleet.stop();
}

/// Waits until each instance has processed some of the new events.
async fn wait_until_all_work(fleet: &Fleet) {
    let groups = [
        (&fleet.relays, "relay_published_total"),
        (&fleet.pharmacies, "consumer_events_applied_total"),
        (&fleet.notifications, "consumer_events_applied_total"),
    ];
    for (group, counter) in groups {
        wait_until_each_counted(group, counter, EVENTS_PER_STEP).await;
    }
}
