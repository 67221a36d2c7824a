use std::sync::Mutex;

use test_support::{Network, eventually};

use crate::client::Client;
use crate::instance::Instance;
use crate::place::{Place, Service};
use crate::topic::Topic;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_while_kafka_and_the_registry_are_down_and_all_arrive_in_order() {
    let place = Place::new("kafka");
    let world = World::start().await;
    let topic = Topic::watch(&world.kafka_args()).await;
    let mut instance = Instance::start(world.lend_to(&mut place.command()));
    let client = Client::of(&place);

    let orders = vec![client.place("before").await];
    client.all_arrive(&orders).await;

    world.kafka_down();
    let taken = Mutex::new(orders);
    for service in [Service::OrderJobs, Service::Pharmacy, Service::Notification] {
        eventually("each notices, and orders are taken all the while", || async {
            let order = client.place("without Kafka").await;
            taken.lock().unwrap().push(order);
            !client.is_ready(service).await
        })
        .await;
    }
    let mut orders = taken.into_inner().unwrap();
    assert_eq!(topic.len(), 1, "something came through");
    assert!(client.is_ready(Service::OrderApi).await, "the API needs Postgres alone");

    // Cancellations need a schema that nobody has asked the registry for yet.
    world.registry.set(Network::Down);
    for order in &mut orders {
        client.cancel(order).await;
    }
    world.kafka_up();
    let path = format!("/api/pharmacy/orders/{}", orders[1].id);
    eventually("Kafka is back", || async {
        client.status(Service::Pharmacy, &path).await == Some(200)
    })
    .await;
    eventually("a schema cannot be had", || async { !client.is_ready(Service::OrderJobs).await })
        .await;
    orders.push(client.place("without a registry").await);
    world.registry.set(Network::Up);
    client.all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;
    for service in crate::place::SERVICES {
        eventually("each service is ready", || client.is_ready(service)).await;
    }
    orders.push(client.place("after").await);
    client.all_arrive(&orders).await;

    assert!(instance.is_alive());
    let said = instance.ends_well();
    // The relay tells of Kafka and of the registry, each consumer of Kafka and perhaps the
    // registry.
    let told = said.iter().filter(|line| line.contains("cannot be reached")).count();
    assert!((3..=10).contains(&told), "{said:#?}");
}
