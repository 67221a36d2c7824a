use serde_json::{Value, json};

use end_to_end::cluster::{Cluster, PARTITIONS, PHARMACY_TOPIC, TOPIC};
use end_to_end::eventually::eventually;
use end_to_end::external_clients::{group, layout};
use end_to_end::fleet::{Fleet, Size};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn topics_are_replicated_to_survive_the_loss_of_a_broker() {
    let _cluster = Cluster::lock().await;
    // The brokers create the topic for offsets when a group joins.
    let fleet = Fleet::start(Size::SINGLE).await;
    let topics = layout();
    fleet.stop();

    for name in [TOPIC, PHARMACY_TOPIC, "__consumer_offsets"] {
        let topic = &topics[name];
        assert_eq!(topic["settings"]["min.insync.replicas"], "2", "{name}");
        assert_eq!(topic["settings"]["unclean.leader.election.enable"], "false", "{name}");
        assert_eq!(topic["partitions"].as_array().unwrap().len(), PARTITIONS, "{name}");
        for partition in topic["partitions"].as_array().unwrap() {
            assert_eq!(sorted(&partition["replicas"]), [1, 2, 3], "{name}: {partition}");
            assert_eq!(sorted(&partition["inSync"]), [1, 2, 3], "{name}: {partition}");
        }
    }
    let own = [TOPIC, PHARMACY_TOPIC].map(str::to_owned);
    let others: Vec<_> =
        topics.as_object().unwrap().keys().filter(|name| !own.contains(name)).collect();
    assert!(others.iter().all(|name| name.starts_with("__")), "unexpected topics: {others:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn the_members_of_a_group_share_the_partitions_and_take_over_those_of_one_that_stops() {
    let _cluster = Cluster::lock().await;
    let mut fleet = Fleet::start(Size::SHARED).await;
    for name in ["pharmacy-order-group", "notification-group"] {
        wait_for_assignment(name, &[6, 6]).await;
    }
    wait_for_assignment("ordering-group", &[4, 4, 4]).await;
    fleet.pharmacies.pop().unwrap().stop();
    fleet.notifications.pop().unwrap().stop();
    for name in ["pharmacy-order-group", "notification-group"] {
        wait_for_assignment(name, &[12]).await;
    }
    fleet.stop();
}

/// Waits until the members have these numbers of partitions, and each partition has one member.
async fn wait_for_assignment(name: &str, shares: &[usize]) {
    let what = format!("the members of {name} have {shares:?} partitions");
    eventually(&what, async || {
        let members = group(name)["members"].as_array().unwrap().clone();
        let mut sizes: Vec<_> = members.iter().map(|own| own.as_array().unwrap().len()).collect();
        sizes.sort_unstable();
        let all: Vec<_> = members.iter().flat_map(|own| own.as_array().unwrap().clone()).collect();
        sizes == shares && sorted(&json!(all)) == (0..12).collect::<Vec<_>>()
    })
    .await;
}

fn sorted(numbers: &Value) -> Vec<u64> {
    let mut numbers: Vec<_> =
        numbers.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}
