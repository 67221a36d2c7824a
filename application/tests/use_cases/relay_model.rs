//! Property test of the relay under arbitrary failures. After the broker recovers, every event is
//! published or refused, and the first publications of an order's events are in the sequence of
//! their versions.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use application::ordering::{Cause, Orders, Saved};
use application::relay::{Claim, Delivery, Outbox, Step, relay_step};
use application::testing::{InMemoryOrdering, RecordingPublisher, sample};
use domain::EventId;
use domain::ordering::{Order, PharmacyNews};
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use crate::now;

#[derive(Debug, Clone)]
enum Action {
    /// An order is placed. It may be cancelled immediately, so that it has two events.
    Placed { cancelled: bool },
    /// An open order is cancelled.
    Cancelled(Index),
    /// Publishing an event fails until the broker recovers.
    Fails(Index),
    /// An event is refused until the broker recovers.
    Refuses(Index),
    /// The broker is unreachable for one event, until it recovers.
    Unreachable(Index),
    /// The broker is unreachable for all events, until it recovers.
    Outage,
    /// The broker recovers.
    Recovers,
    /// A relay claims a batch and crashes, before or after publishing.
    Crash { published: bool },
    /// A relay runs one step.
    Step { limit: usize },
    /// Time passes.
    Waits { seconds: u64 },
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    use Action as A;
    let one = prop_oneof![
        4 => any::<bool>().prop_map(|cancelled| A::Placed { cancelled }),
        2 => any::<Index>().prop_map(A::Cancelled),
        2 => any::<Index>().prop_map(A::Fails),
        1 => any::<Index>().prop_map(A::Refuses),
        1 => any::<Index>().prop_map(A::Unreachable),
        1 => Just(A::Outage),
        2 => Just(A::Recovers),
        1 => any::<bool>().prop_map(|published| A::Crash { published }),
        6 => (1..8_usize).prop_map(|limit| A::Step { limit }),
        2 => (1..40_u64).prop_map(|seconds| A::Waits { seconds }),
    ];
    prop::collection::vec(one, 1..60)
}

#[derive(Default)]
struct System {
    store: InMemoryOrdering,
    publisher: RecordingPublisher,
    open_orders: Vec<Order>,
    placed: u32,
}

impl System {
    fn perform(&mut self, action: &Action) {
        match action {
            Action::Placed { cancelled } => {
                self.placed += 1;
                // With these ids, all orders are in two lanes, so that orders share a lane.
                let order = self.save(sample::order(self.placed * 8));
                self.open_orders.push(order);
                if *cancelled {
                    self.cancel(self.open_orders.len() - 1);
                }
            }
            Action::Cancelled(index) if !self.open_orders.is_empty() => {
                self.cancel(index.index(self.open_orders.len()));
            }
            Action::Cancelled(_) => {}
            Action::Fails(index) => self.answer(*index, &Delivery::Failed("no".to_owned())),
            Action::Refuses(index) => self.answer(*index, &Delivery::Refused("no".to_owned())),
            Action::Unreachable(index) => {
                self.answer(*index, &Delivery::Unreachable("no".to_owned()));
            }
            Action::Outage => {
                self.publisher.answer_all(Delivery::Unreachable("no".to_owned()));
            }
            Action::Recovers => self.publisher.recover(),
            Action::Crash { published } => self.crash(*published),
            Action::Step { limit } => {
                now(relay_step(&self.store, &self.publisher, *limit, || {}, || one_minute))
                    .unwrap();
            }
            Action::Waits { seconds } => self.store.advance(*seconds),
        }
    }

    fn save(&self, order: Order) -> Order {
        match now(self.store.save(order, Cause::Unkeyed)).unwrap() {
            Saved::Stored(order) => order,
            Saved::AnsweredBefore(order) => panic!("not a repeat: {order:?}"),
        }
    }

    fn cancel(&mut self, index: usize) {
        let mut order = self.open_orders.swap_remove(index);
        let event = sample::event_id(
            u32::try_from(order.id().get().as_u128() & u128::from(u32::MAX)).unwrap(),
            2,
        );
        let event_stamp = domain::EventStamp { event_id: event, at: sample::at(1) };
        assert!(order.follow(PharmacyNews::Cancelled, event_stamp).is_applied());
        self.save(order);
    }

    fn answer(&self, index: Index, delivery: &Delivery) {
        let records = self.store.all_records();
        if !records.is_empty() {
            let event = records[index.index(records.len())].event_id;
            self.publisher.answer(event, delivery.clone());
        }
    }

    /// Claims a batch, publishes the first event of each order or nothing, and drops the claim.
    fn crash(&self, published: bool) {
        if let Some(claim) = now(self.store.claim(5)).unwrap()
            && published
        {
            let mut orders = HashSet::new();
            let firsts: Vec<_> =
                claim.records().iter().filter(|r| orders.insert(r.aggregate_id)).collect();
            now(application::relay::Publisher::publish(&self.publisher, &firsts, one_minute()));
        }
    }

    /// The broker recovers, and the relay runs until nothing is due.
    fn relay_everything(&self) {
        self.publisher.recover();
        self.store.advance(3600);
        for _ in 0..1000 {
            if now(relay_step(&self.store, &self.publisher, 7, || {}, || one_minute)).unwrap()
                == Step::Idle
            {
                return;
            }
        }
        panic!("the relay did not become idle");
    }
}

fn one_minute() -> Duration {
    Duration::from_mins(1)
}

proptest! {
    #[test]
    fn every_event_is_published_and_first_in_the_sequence_of_versions(
        actions in actions(),
    ) {
        let mut system = System::default();
        for action in &actions {
            system.perform(action);
        }
        system.relay_everything();

        let saved = system.store.all_records();
        let refused: HashSet<EventId> =
            system.store.refused_events().into_iter().map(|(event, _)| event).collect();
        let mut first_published: HashMap<Uuid, Vec<i64>> = HashMap::new();
        let mut seen = HashSet::new();
        for record in system.publisher.published() {
            if seen.insert(record.event_id) {
                let versions = first_published.entry(record.aggregate_id).or_default();
                versions.push(record.aggregate_version);
            }
        }
        for record in &saved {
            prop_assert!(
                seen.contains(&record.event_id) || refused.contains(&record.event_id),
                "lost: {record:?}"
            );
        }
        for versions in first_published.values() {
            prop_assert!(versions.is_sorted(), "out of order: {versions:?}");
        }
        prop_assert_eq!(system.store.unprocessed(), 0);
        prop_assert!(seen.len() <= saved.len(), "published what was never saved");
    }
}
