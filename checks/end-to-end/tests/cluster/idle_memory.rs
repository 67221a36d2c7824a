use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::order_load::OrderLoad;
use end_to_end::read_models;

/// Maximum memory of an idle instance, without the pages of the program's file: the kernel decides how
/// many of those it maps.
const MEMORY_KIB: u64 = 24 * 1024;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_idle_instance_uses_little_memory_after_work() {
    let _cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let orders = OrderLoad::place(fleet.api_urls(), 400, 4_000).await;
    read_models::wait_until_each_once(&fleet, &orders).await;

    let Fleet { apis, relays, pharmacies, notifications } = &fleet;
    for instance in apis.iter().chain(relays).chain(pharmacies).chain(notifications) {
        let [own, all] = ["RssAnon:", "VmRSS:"].map(|which| instance.memory_kib(which));
        println!("{} uses {own} KiB when idle, {all} KiB with its file", instance.name());
        assert!(own <= MEMORY_KIB, "{}: {own} KiB", instance.name());
    }
    fleet.stop();
}
