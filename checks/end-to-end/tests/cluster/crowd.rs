use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size, counts};
use end_to_end::order::events;
use end_to_end::{outsider, read_models};

/// How many orders are placed, and how many in a second at the most.
const ORDERS: usize = 20_000;
const RATE: u32 = 1_000;

/// What each of three relays is to have published, in percent.
const SHARE: u64 = 15;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn twenty_thousand_orders_arrive_everywhere_once_and_in_order() {
    let _cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let before = outsider::ends();

    let begin = std::time::Instant::now();
    let orders = Customers::place(fleet.counters(), RATE, ORDERS).await;
    println!("{} orders placed in {:.1} s", orders.len(), begin.elapsed().as_secs_f64());
    read_models::hold_each_once(&fleet, &orders).await;
    read_models::took_each_event_once(&fleet, &orders).await;
    println!("all of them in both read models after {:.1} s", begin.elapsed().as_secs_f64());

    let records = outsider::read(&before, events(&orders));
    outsider::tells_once_and_in_order(&records, &orders);
    assert_eq!(
        outsider::ends_after(&before),
        events(&orders) as u64,
        "nothing else came into the topic"
    );

    let published = counts(&fleet.relays, "relay_published_total").await;
    println!("the relays published {published:?}");
    assert_eq!(published.iter().sum::<u64>(), events(&orders) as u64);
    for share in published {
        assert!(share * 100 >= SHARE * events(&orders) as u64, "{share} of {}", events(&orders));
    }
    fleet.stop();
}
