use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::order_load::OrderLoad;
use end_to_end::read_models;

/// Maximum resident memory of an idle instance.
const MEMORY_KIB: u64 = 40 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_idle_instance_uses_little_memory_after_work() {
    let _cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let orders = OrderLoad::place(fleet.api_urls(), 400, 4_000).await;
    read_models::wait_until_each_once(&fleet, &orders).await;

    let Fleet { apis, relays, pharmacies, notifications } = &fleet;
    for instance in apis.iter().chain(relays).chain(pharmacies).chain(notifications) {
        let kib = instance.resident_kib();
        println!("{} uses {} MB when idle", instance.name(), kib / 1024);
        assert!(kib <= MEMORY_KIB, "{}: {kib} KiB", instance.name());
    }
    fleet.stop();
}
