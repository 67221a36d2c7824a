use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size, counters};
use end_to_end::order::events;
use end_to_end::order_load::OrderLoad;
use end_to_end::quick::unless_quick;
use end_to_end::{external_clients, read_models};

/// Maximum number of orders per second.
const RATE: u32 = 1_000;

/// Minimum share of each of the three relays, in percent.
const MIN_SHARE: u64 = 15;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn thousands_of_orders_arrive_everywhere_once_and_in_order() {
    let _cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = external_clients::end_offsets();

    let begin = std::time::Instant::now();
    let orders = OrderLoad::place(fleet.api_urls(), RATE, unless_quick(20_000, 5_000)).await;
    println!("{} orders placed in {:.1} s", orders.len(), begin.elapsed().as_secs_f64());
    read_models::wait_until_each_once(&fleet, &orders).await;
    read_models::assert_each_event_applied_once(&fleet, &orders).await;
    println!("all of them in both read models after {:.1} s", begin.elapsed().as_secs_f64());

    let records = external_clients::read(&before, events(&orders));
    external_clients::assert_once_and_in_order(&records, &orders);
    assert_eq!(
        external_clients::records_since(&before),
        events(&orders) as u64,
        "nothing else was published"
    );

    let published = counters(&fleet.relays, "relay_published_total").await;
    println!("the relays published {published:?}");
    assert_eq!(published.iter().sum::<u64>(), events(&orders) as u64);
    for share in published {
        assert!(
            share * 100 >= MIN_SHARE * events(&orders) as u64,
            "{share} of {}",
            events(&orders)
        );
    }
    fleet.stop();
}
