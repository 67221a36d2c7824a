use std::time::Duration;

use crate::client::{Client, eventually};
use crate::instance::Instance;
use crate::place::{Place, Service};
use crate::proxy::Line;
use crate::topic::Topic;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_while_kafka_and_the_registry_are_down_and_all_arrive_in_order() {
    let place = Place::new("kafka");
    let world = World::start().await;
    let topic = Topic::watch(&world.kafka_args()).await;
    let mut instance = Instance::start(world.lend_to(&mut place.command()));
    let client = Client::of(&place);

    let mut orders = vec![client.place("before").await];
    client.all_arrive(&orders).await;

    world.kafka_down();
    let mut services = vec![Service::OrderJobs, Service::Pharmacy, Service::Notification];
    while !services.is_empty() {
        orders.push(client.place("without Kafka").await);
        let still = services.first().copied().unwrap();
        if !client.is_ready(still).await {
            services.remove(0);
        }
    }
    let waiting = orders.len();
    let in_topic = topic.len();
    assert_eq!(in_topic, 1, "something came through");
    assert!(client.is_ready(Service::OrderApi).await, "the API needs Postgres alone");

    // Cancellations need a schema that nobody has asked the registry for yet.
    world.registry.set(Line::Cut);
    for order in &mut orders {
        client.cancel(order).await;
    }
    world.kafka_up();
    eventually("what needs no registry is published", async || topic.len() >= waiting).await;
    orders.push(client.place("without a registry").await);
    assert!(!client.is_ready(Service::OrderJobs).await, "a schema cannot be had");

    world.registry.set(Line::Up);
    client.all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;
    for service in crate::place::SERVICES {
        eventually("each service is ready", async || client.is_ready(service).await).await;
    }
    orders.push(client.place("after").await);
    client.all_arrive(&orders).await;

    assert!(instance.is_alive());
    instance.signal("TERM");
    let (code, said) = instance.ends_within(Duration::from_secs(20));
    assert_eq!(code, Some(0), "{said:#?}");
    // The relay tells of Kafka and of the registry, each consumer of Kafka and perhaps the registry.
    let told = said.iter().filter(|line| line.contains("cannot be reached")).count();
    assert!((3..=6).contains(&told), "{said:#?}");
}
