use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::read_models;

/// What an instance may take while it has nothing to do.
const MEMORY_KIB: u64 = 40 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_instance_that_has_worked_and_rests_takes_little_memory() {
    let _cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let orders = Customers::place(fleet.counters(), 400, 4_000).await;
    read_models::hold_each_once(&fleet, &orders).await;

    let Fleet { apis, relays, pharmacies, notifications } = &fleet;
    for instance in apis.iter().chain(relays).chain(pharmacies).chain(notifications) {
        let kib = instance.resident_kib();
        println!("{} rests in {} MB", instance.name(), kib / 1024);
        assert!(kib <= MEMORY_KIB, "{}: {kib} KiB", instance.name());
    }
    fleet.stop();
}
