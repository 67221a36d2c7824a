use std::cell::Cell;
use std::time::Duration;

use application::ordering::{Cause, Orders};
use application::relay::{Delivery, OutboxRecord, Publisher, Step, relay_step};
use application::testing::{InMemoryOrdering, RecordingPublisher, sample};
use domain::EventId;
use domain::ordering::PharmacyNews;

use crate::now;

/// One lane with five events: two orders that were created and cancelled, and one that was created.
fn one_lane() -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    for n in [16, 32] {
        let order = now(store.save(sample::order(n), Cause::Unkeyed)).unwrap();
        let application::ordering::Saved::Stored(mut order) = order else { panic!() };
        assert!(order.follow(PharmacyNews::Cancelled, sample::event_stamp(n, 2)).is_applied());
        now(store.save(order, Cause::Unkeyed)).unwrap();
    }
    now(store.save(sample::order(48), Cause::Unkeyed)).unwrap();
    let records = store.all_records();
    assert!(records.iter().all(|record| record.lane == records[0].lane), "one lane");
    store
}

fn step(store: &InMemoryOrdering, publisher: &impl Publisher) -> Step {
    now(relay_step(store, publisher, 100, || {}, always_one_minute)).unwrap()
}

/// A clock with always one minute left.
fn always_one_minute() -> impl Fn() -> Duration {
    || Duration::from_mins(1)
}

fn events(records: &[OutboxRecord]) -> Vec<EventId> {
    records.iter().map(|record| record.event_id).collect()
}

fn no(why: &str) -> String {
    why.to_owned()
}

#[test]
fn a_relay_with_nothing_to_do_is_idle() {
    let publisher = RecordingPublisher::default();
    assert_eq!(step(&InMemoryOrdering::default(), &publisher), Step::Idle);
    assert!(publisher.waves().is_empty());
}

#[test]
fn other_workers_are_called_before_publishing_and_only_if_a_batch_was_claimed() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    let mut called = 0;
    let more = || {
        called += 1;
        assert!(publisher.waves().is_empty(), "the batch was already published");
    };
    now(relay_step(&store, &publisher, 100, more, always_one_minute)).unwrap();
    assert_eq!(called, 1);
    now(relay_step(&store, &publisher, 100, || called += 1, always_one_minute)).unwrap();
    assert_eq!(called, 1, "nothing was due");
}

#[test]
fn the_second_event_of_an_order_is_sent_in_a_later_wave_than_the_first() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 5, unpublished: 0 });

    let waves: Vec<Vec<EventId>> = publisher.waves().iter().map(|wave| events(wave)).collect();
    assert_eq!(
        waves,
        [
            vec![sample::event_id(16, 1), sample::event_id(32, 1), sample::event_id(48, 1)],
            vec![sample::event_id(16, 2), sample::event_id(32, 2)],
        ]
    );
    assert_eq!(step(&store, &publisher), Step::Idle);
}

#[test]
fn a_failed_event_blocks_later_events_of_its_order_only() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    publisher.answer(sample::event_id(16, 1), Delivery::Failed(no("not today")));
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 3, unpublished: 2 });
    assert_eq!(step(&store, &publisher), Step::Idle, "the failed event is delayed");

    publisher.recover();
    store.advance(3600);
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 2, unpublished: 0 });
    assert_eq!(
        events(&publisher.published()),
        [(32, 1), (48, 1), (32, 2), (16, 1), (16, 2)].map(|(n, v)| sample::event_id(n, v))
    );
    assert_eq!(store.unprocessed(), 0);
}

#[test]
fn later_events_of_an_order_are_published_after_a_refused_event() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    publisher.answer(sample::event_id(16, 1), Delivery::Refused(no("too large")));
    // Not in the same step: until the refusal is stored, the event might be sent again and
    // accepted.
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 3, unpublished: 2 });
    assert_eq!(store.refused_events(), [(sample::event_id(16, 1), no("too large"))]);
    assert!(!events(&publisher.published()).contains(&sample::event_id(16, 2)));

    assert_eq!(step(&store, &publisher), Step::Relayed { published: 1, unpublished: 0 });
    assert!(events(&publisher.published()).contains(&sample::event_id(16, 2)));
    store.advance(3600);
    assert_eq!(step(&store, &publisher), Step::Idle);
}

#[test]
fn an_outage_stops_the_step_and_delays_no_event() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    publisher.answer_all(Delivery::Unreachable(no("no broker")));
    assert_eq!(step(&store, &publisher), Step::Outage(no("no broker")));
    assert_eq!(publisher.waves().len(), 1, "no second wave during an outage");

    publisher.recover();
    // Without a delay, because the events did not fail.
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 5, unpublished: 0 });
}

#[test]
fn events_acknowledged_before_an_outage_are_not_published_again() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    publisher.answer(sample::event_id(32, 1), Delivery::Unreachable(no("no broker")));
    assert_eq!(step(&store, &publisher), Step::Outage(no("no broker")));
    publisher.recover();
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 3, unpublished: 0 });
    let published = events(&publisher.published());
    assert_eq!(
        published,
        [(16, 1), (48, 1), (16, 2), (32, 1), (32, 2)].map(|(n, v)| sample::event_id(n, v))
    );
}

#[test]
fn a_dropped_claim_leaves_its_records_due() {
    use application::relay::{Claim, Outbox};
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    let claim = now(store.claim(100)).unwrap().unwrap();
    assert_eq!(claim.records().len(), 5);
    assert_eq!(step(&store, &publisher), Step::Idle, "another claim has the lane");
    drop(claim);
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 5, unpublished: 0 });
}

#[test]
fn a_record_without_a_result_counts_as_unsent_and_blocks_its_order() {
    /// Returns fewer deliveries than records, which the port forbids.
    struct MissingResults(RecordingPublisher);

    impl Publisher for MissingResults {
        async fn publish(&self, records: &[&OutboxRecord], left: Duration) -> Vec<Delivery> {
            self.0.publish(&records[..1], left).await
        }
    }

    let store = one_lane();
    let publisher = MissingResults(RecordingPublisher::default());
    assert_eq!(step(&store, &publisher), Step::Relayed { published: 2, unpublished: 3 });
    assert_eq!(
        events(&publisher.0.published()),
        [sample::event_id(16, 1), sample::event_id(16, 2)]
    );
}

#[test]
fn all_waves_of_a_claim_share_its_time_and_unsent_records_stay_due() {
    let (store, publisher) = (one_lane(), RecordingPublisher::default());
    let started = Cell::new(0);
    // Each wave takes 12 of 20 seconds.
    let clock = || {
        started.set(started.get() + 1);
        let seconds = Cell::new(32_u64);
        move || {
            seconds.set(seconds.get().saturating_sub(12));
            Duration::from_secs(seconds.get().saturating_sub(8))
        }
    };
    let step = || now(relay_step(&store, &publisher, 100, || {}, clock)).unwrap();
    assert_eq!(step(), Step::Relayed { published: 3, unpublished: 2 });
    assert_eq!(publisher.waves().len(), 1, "there was no time for the second wave");
    // Without a delay, because the events did not fail.
    assert_eq!(step(), Step::Relayed { published: 2, unpublished: 0 });
    assert_eq!(store.unprocessed(), 0);
    assert_eq!(started.get(), 2, "one clock per claim");
    assert_eq!(step(), Step::Idle);
    assert_eq!(started.get(), 2, "no clock without a claim");
}
