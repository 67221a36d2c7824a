//! The cost of one event, without Postgres and Kafka: `cargo bench -p adapter-avro`.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use adapter_avro::{decode, encode, parse_writer};
use application::event_format::by_fingerprint;
use application::published::{Payload, PublishedEvent};
use application::testing::sample::{event_stamp, largest_order, new_order};
use divan::{Bencher, black_box};
use domain::ordering::{Order, OrderEvent};

fn main() {
    divan::main();
}

/// Validates the data of an order and places it.
#[divan::bench]
fn validate_and_place() -> Order {
    small_order()
}

#[divan::bench]
fn encode_an_event(bencher: Bencher<'_, '_>) {
    bench_encode(bencher, &small_order());
}

#[divan::bench]
fn decode_an_event(bencher: Bencher<'_, '_>) {
    bench_decode(bencher, &small_order());
}

#[divan::bench]
fn encode_the_largest_event(bencher: Bencher<'_, '_>) {
    bench_encode(bencher, &largest_order(1));
}

#[divan::bench]
fn decode_the_largest_event(bencher: Bencher<'_, '_>) {
    bench_decode(bencher, &largest_order(1));
}

/// An order of two items.
fn small_order() -> Order {
    Order::place(new_order(black_box(4)), event_stamp(4, 1))
}

fn event(order: &Order) -> &OrderEvent {
    &order.recorded()[0]
}

fn bench_encode(bencher: Bencher<'_, '_>, order: &Order) {
    bencher.bench(|| encode(black_box(event(order))).unwrap());
}

fn bench_decode(bencher: Bencher<'_, '_>, order: &Order) {
    let encoded = encode(event(order)).unwrap();
    let schema = by_fingerprint(adapter_avro::ordering(), &encoded.schema_fingerprint).unwrap();
    let writer = parse_writer(schema.json).unwrap();
    bencher.bench(|| -> PublishedEvent<Payload> {
        decode(black_box(&writer), black_box(&encoded.payload)).unwrap()
    });
}
