use end_to_end::cluster::{Cluster, TOPIC};
use end_to_end::customers::Customers;
use end_to_end::eventually::eventually;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::outsider;
use serde_json::{Value, json};

/// The largest batch that the topic takes meanwhile: any of these orders alone, and only a few together.
const LARGEST_BATCH: &str = "max.message.bytes=20000";

/// How many orders pile up.
const ORDERS: usize = 1_200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_backlog_whose_batches_are_too_large_for_the_topic_is_published_whole_and_in_order() {
    let cluster = Cluster::alone().await;
    let only_apis = Size { apis: 2, relays: 0, pharmacies: 0, notifications: 0 };
    let fleet = Fleet::start(only_apis).await;
    let orders = Customers::ask_for(random_text, fleet.counters(), 400, ORDERS).await;
    let before = outsider::ends();

    let topic = SmallBatches::of(&cluster);
    let relays = Fleet::start(Size { apis: 0, relays: 1, ..only_apis }).await;
    let mut outbox = Value::Null;
    eventually("nothing is left to be published", async || {
        outbox = relays.relays[0].get("/api/outbox").await.unwrap();
        outbox["unprocessed"] == 0
    })
    .await;
    drop(topic);
    assert_eq!(outbox["deadLetters"], 0, "{outbox}");
    outsider::tells_all_in_order(&before, &orders);
    relays.stop();
    fleet.stop();
}

/// The topic, as long as it takes only small batches.
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
        self.0.does(&[&topic[..], how].concat());
    }
}

impl Drop for SmallBatches<'_> {
    fn drop(&mut self) {
        self.alter(&["--delete-config", "max.message.bytes"]);
    }
}

/// Asks for little and says a lot: 3 kB that cannot be compressed.
fn random_text(number: usize) -> Value {
    let mut dice = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut character = || {
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        // One of the 20,000 ideographs, of 3 bytes each.
        let drawn = dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        char::from_u32(0x4e00 + u32::try_from(drawn % 20_000).unwrap()).unwrap()
    };
    let note: String = (0..1_000).map(|_| character()).collect();
    json!({
        "customerName": format!("Customer {number}"),
        "items": [{"productId": 1, "quantity": 1}],
        "note": note,
    })
}
