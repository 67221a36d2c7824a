use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use end_to_end::cluster::{Cluster, PHARMACY_TOPIC};
use end_to_end::eventually::eventually_all;
use end_to_end::external_clients::{Record, end_offsets, end_offsets_of, read_all};
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::Instance;
use end_to_end::life::{Pharmacists, Placed, Urls, place_and_cancel};
use end_to_end::quick::unless_quick;
use serde_json::Value;
use tokio::time::sleep;

/// How long orders are placed, in seconds. Longer than the kills take.
const SECONDS: usize = 63;

/// Wait between two kills.
const BETWEEN_KILLS: Duration = Duration::from_secs(5);

/// The status in the pharmacy and the status of the order, when both are final.
const FINAL: [(&str, &str); 3] =
    [("dispensed", "completed"), ("rejected", "rejected"), ("cancelled", "cancelled")];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn thousands_of_orders_end_alike_on_both_sides_although_each_process_is_killed() {
    let _cluster = Cluster::lock().await;
    let mut fleet = Fleet::start(Size::SHARED).await;
    let before = [end_offsets(), end_offsets_of(PHARMACY_TOPIC)];
    let (urls, placed) = (Urls::default(), Placed::default());
    urls.set(&fleet);
    let rate: u32 = unless_quick(80, 20);
    let number = rate as usize * SECONDS;

    let pharmacists = Pharmacists::start(&urls, &placed);
    tokio::join!(
        place_and_cancel(&urls, number, rate, &placed),
        kill_each_process_once(&mut fleet, &urls),
    );
    let ids: HashSet<String> = placed.ids.lock().unwrap().iter().cloned().collect();
    assert_eq!(ids.len(), number);

    let (mut known, mut worked_on) = (HashMap::new(), HashMap::new());
    eventually_all("orders are final on both sides", number, async || {
        known = orders(&fleet.apis[0], "/api/orders", &ids).await;
        worked_on = orders(&fleet.pharmacies[0], "/api/pharmacy/orders", &ids).await;
        let is_final = |id: &&String| {
            let both =
                [&worked_on, &known].map(|side| side.get(*id).map(|it| it["status"].clone()));
            FINAL.iter().any(|(there, here)| both == [Some((*there).into()), Some((*here).into())])
        };
        ids.iter().filter(is_final).count()
    })
    .await;
    let actions = pharmacists.stop().await;
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for order in known.values() {
        *ends.entry(order["status"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    println!(
        "{actions} actions, {} cancellations accepted, {} too late; orders: {ends:?}",
        placed.accepted.load(std::sync::atomic::Ordering::Relaxed),
        placed.too_late.load(std::sync::atomic::Ordering::Relaxed),
    );

    let [ordering, pharmacy] = before.map(|before| read_all(&before));
    assert_each_event_in_order(&ordering, "orderVersion", &known, "version");
    assert_each_event_in_order(&pharmacy, "pharmacyVersion", &worked_on, "pharmacyVersion");
    assert_never_both(&ordering, ["orders.OrderCancelled", "orders.OrderCompleted"]);
    let both = ["pharmacy.PharmacyOrderCancelled", "pharmacy.PharmacyOrderDispensed"];
    assert_never_both(&pharmacy, both);
    fleet.stop();
}

/// Kills one process after the other and replaces it.
async fn kill_each_process_once(fleet: &mut Fleet, urls: &Urls) {
    for index in 0..3 {
        for program in ["order-api", "order-jobs", "pharmacy-order", "notification"] {
            let instances = match program {
                "order-api" => &mut fleet.apis,
                "order-jobs" => &mut fleet.relays,
                "pharmacy-order" => &mut fleet.pharmacies,
                _ => &mut fleet.notifications,
            };
            if index >= instances.len() {
                continue;
            }
            sleep(BETWEEN_KILLS).await;
            // The new one takes the place at the end, so that each of the first ones is killed.
            let killed = instances.remove(0);
            println!("kill {}", killed.name());
            killed.kill();
            instances.push(Instance::start(program).await);
            urls.set(fleet);
        }
    }
}

/// These orders, as an API lists them: newest first.
async fn orders(instance: &Instance, path: &str, ids: &HashSet<String>) -> HashMap<String, Value> {
    let oldest = ids.iter().min().unwrap();
    let mut found = HashMap::new();
    let mut page_path = format!("{path}?limit=100");
    loop {
        let page = instance.get(&page_path).await.expect("a page of orders");
        for order in page["items"].as_array().unwrap() {
            // The last page may also have orders of other tests.
            if let Some(id) = ids.get(order["orderId"].as_str().unwrap()) {
                found.insert(id.clone(), order.clone());
            }
        }
        let Some(cursor) = page["nextCursor"].as_str().filter(|_| !found.contains_key(oldest))
        else {
            return found;
        };
        page_path = format!("{path}?limit=100&cursor={cursor}");
    }
}

/// Checks that the topic has each event of each order, and that an event is followed by the next one of
/// its order, or by a repeat of one that was published before.
fn assert_each_event_in_order(
    records: &[Record],
    version_field: &str,
    orders: &HashMap<String, Value>,
    version: &str,
) {
    let mut published: HashMap<&str, Vec<&Value>> = HashMap::new();
    for record in records {
        let events = published.entry(&record.key).or_default();
        let number = usize::try_from(record.event[version_field].as_u64().unwrap()).unwrap();
        let id = &record.event["eventId"];
        if let Some(first) = events.get(number - 1) {
            assert_eq!(*first, id, "two events with one version: {record:?}");
        } else {
            assert_eq!(number, events.len() + 1, "an event is missing before {record:?}");
            events.push(id);
        }
    }
    let events: usize = published.values().map(Vec::len).sum();
    println!("{events} events with {version_field}, {} records", records.len());
    for (id, order) in orders {
        let events = published.get(id.as_str()).map_or(0, Vec::len);
        assert_eq!(order[version], events, "{order}");
    }
}

/// Checks that no order has events of both types.
fn assert_never_both(records: &[Record], both: [&str; 2]) {
    let [first, second] = both.map(|schema| {
        let of_type = records.iter().filter(|record| record.schema == schema);
        of_type.map(|record| record.key.as_str()).collect::<HashSet<_>>()
    });
    assert!(!first.is_empty() && !second.is_empty());
    assert_eq!(first.intersection(&second).count(), 0);
}
