use application::ordering::{Cause, Orders};
use application::relay::OutboxRecord;
use domain::EventId;
use domain::ordering::{NewOrder, Order, OrderEvent, OrderItem, OrderItems};
use runtime::clock;

/// A new order of this customer: 2 pieces of product 7.
#[must_use]
pub fn new_order(customer_name: &str) -> Order {
    let item = OrderItem {
        product_id: 7.try_into().unwrap(),
        quantity: 2.try_into().unwrap(),
        medication: None,
    };
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_name: customer_name.parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        customer_id: None,
        note: None,
    };
    Order::place(new, clock::event_stamp())
}

/// Stores a new order. Returns the id of its event.
pub async fn place_order(orders: &impl Orders) -> EventId {
    let order = new_order("Ada");
    let event_id = order.recorded()[0].id;
    orders.save(order, Cause::Unkeyed).await.unwrap();
    event_id
}

/// The event as an outbox record, as a relay claims it.
#[must_use]
pub fn outbox_record(event: &OrderEvent) -> OutboxRecord {
    let encoded = adapter_avro::encode(event).unwrap();
    OutboxRecord {
        lane: 0,
        position: 1,
        event_id: event.id,
        aggregate_id: event.order_id.get(),
        aggregate_version: event.version.get(),
        event_type: encoded.event_type.to_owned(),
        schema_fingerprint: encoded.schema_fingerprint.to_vec(),
        payload: encoded.payload,
        headers: Vec::new(),
        occurred_at: event.occurred_at,
    }
}
