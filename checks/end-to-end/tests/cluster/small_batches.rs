use end_to_end::cluster::{Cluster, TOPIC};
use end_to_end::eventually::eventually;
use end_to_end::external_clients;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::order::events;
use end_to_end::order_load::OrderLoad;
use serde_json::{Value, json};

/// Maximum size of a batch: larger than each of these events, but only a few fit.
const LARGEST_BATCH: &str = "max.message.bytes=20000";

/// Number of orders in the backlog.
const ORDERS: usize = 1_200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_backlog_with_batches_too_large_for_the_topic_is_published_completely_and_in_order() {
    let cluster = Cluster::lock().await;
    let only_apis = Size { apis: 2, relays: 0, pharmacies: 0, notifications: 0 };
    let fleet = Fleet::start(only_apis).await;
    let orders = OrderLoad::place_with(random_text, fleet.api_urls(), 400, ORDERS).await;
    let before = external_clients::end_offsets();

    let topic = SmallBatches::of(&cluster);
    // The pharmacy answers the requests to cancel.
    let relays = Fleet::start(Size { apis: 0, relays: 1, pharmacies: 1, ..only_apis }).await;
    let mut outbox = Value::Null;
    eventually("all events are published", async || {
        outbox = relays.relays[0].get("/api/outbox").await.unwrap();
        outbox["unprocessed"] == 0
            && external_clients::records_since(&before) >= events(&orders) as u64
    })
    .await;
    drop(topic);
    assert_eq!(outbox["deadLetters"], 0, "{outbox}");
    external_clients::assert_all_in_order(&before, &orders);
    relays.stop();
    fleet.stop();
}

/// Makes the topic accept only small batches, until it is dropped.
struct SmallBatches<'c>(&'c Cluster);

impl<'c> SmallBatches<'c> {
    fn of(cluster: &'c Cluster) -> Self {
        let topic = Self(cluster);
        topic.alter(&["--add-config", LARGEST_BATCH]);
        topic
    }

    fn alter(&self, how: &[&str]) {
        let topic =
            ["kafka", "configs", "--alter", "--entity-type", "topics", "--entity-name", TOPIC];
        self.0.run(&[&topic[..], how].concat());
    }
}

impl Drop for SmallBatches<'_> {
    fn drop(&mut self) {
        self.alter(&["--delete-config", "max.message.bytes"]);
    }
}

/// The body of an order with a note of 3 kB that cannot be compressed.
fn random_text(number: usize) -> Value {
    let mut state = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut character = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        // One of 20,000 ideographs, each of 3 bytes.
        let random = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        char::from_u32(0x4e00 + u32::try_from(random % 20_000).unwrap()).unwrap()
    };
    let note: String = (0..1_000).map(|_| character()).collect();
    json!({
        "customerName": format!("Customer {number}"),
        "items": [{"productId": 1, "quantity": 1}],
        "note": note,
    })
}
