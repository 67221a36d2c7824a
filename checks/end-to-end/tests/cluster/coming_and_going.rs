use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size, counts, each_counts_more};
use end_to_end::instance::Instance;
use end_to_end::{outsider, read_models};

/// How many orders are placed in a second meanwhile.
const RATE: u32 = 200;

/// How many events a newcomer is to have worked on before the next change.
const ENOUGH: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn relays_and_consumers_come_and_go_while_orders_flow() {
    let _cluster = Cluster::alone().await;
    let mut fleet = Fleet::start(Size { apis: 2, ..Size::SINGLE }).await;
    let before = outsider::ends();
    let customers = Customers::come(fleet.counters(), RATE);

    // Newcomers take over a share of the work.
    for _ in 0..2 {
        fleet.relays.push(Instance::start("order-jobs").await);
    }
    fleet.pharmacies.push(Instance::start("pharmacy-order").await);
    fleet.notifications.push(Instance::start("notification").await);
    everybody_works(&fleet).await;

    // The first ones leave in an orderly way: what they had begun is done, and nothing is done twice for it.
    let left = counts(&fleet.relays[..1], "relay_published_total").await[0];
    fleet.relays.remove(0).stop();
    fleet.pharmacies.remove(0).stop();
    fleet.notifications.remove(0).stop();
    println!("the first relay had published {left} events");

    // Others come in their place, and some of all end as in a power cut.
    fleet.relays.push(Instance::start("order-jobs").await);
    fleet.pharmacies.push(Instance::start("pharmacy-order").await);
    fleet.notifications.push(Instance::start("notification").await);
    everybody_works(&fleet).await;
    fleet.relays.remove(0).kill();
    fleet.pharmacies.remove(0).kill();
    fleet.notifications.remove(0).kill();
    everybody_works(&fleet).await;

    let orders = customers.leave().await;
    read_models::hold_each_once(&fleet, &orders).await;
    outsider::tells_all_in_order(&before, &orders);
    fleet.stop();
}

/// Waits until each instance has done some of the work that is done from now on.
async fn everybody_works(fleet: &Fleet) {
    let groups = [
        (&fleet.relays, "relay_published_total"),
        (&fleet.pharmacies, "consumer_events_applied_total"),
        (&fleet.notifications, "consumer_events_applied_total"),
    ];
    for (group, counter) in groups {
        each_counts_more(group, counter, ENOUGH).await;
    }
}
