use std::cell::{Cell, RefCell};
use std::time::Duration;

use application::inbox::Inbox;
use application::pharmacy::ReceiveOrders;
use application::published::PublishedEvent;
use application::reconcile::{
    Difference, DifferenceKind, LedgerPair, OrderRange, PublishedLedger, RepairOutcome, Summary,
    reconcile, repair,
};
use application::relay::{Claim, Outbox, OutboxRecord, Verdict};
use application::testing::{InMemoryOrdering, InMemoryPharmacy, LedgerFixture, sample};
use domain::OrderId;

use crate::now;

/// The time between the two checks.
const GRACE: Duration = Duration::from_secs(10);

/// The order that most cases change. The other orders are equal in both ledgers.
const N: u32 = 50;

/// Ordering and the pharmacy, with a relay between them.
#[derive(Default)]
struct Pipeline {
    ordering: InMemoryOrdering,
    pharmacy: InMemoryPharmacy,
}

impl Pipeline {
    /// 100 orders whose events have all arrived.
    fn with_orders() -> Self {
        let pipeline = Self::default();
        for n in 1..=100 {
            pipeline.order(n, 1);
            if n % 10 == 1 {
                pipeline.order(n, 2);
            }
        }
        pipeline.relay_to_pharmacy();
        pipeline
    }

    fn order(&self, n: u32, version: u32) {
        now(self.ordering.add_event(n, version));
    }

    fn pharmacy_receives(&self, n: u32, version: u32) {
        now(self.pharmacy.add_event(n, version));
    }

    /// Claims all records that are due and settles them with this verdict. Returns their events.
    fn relay(&self, verdict: &Verdict) -> Vec<PublishedEvent> {
        let mut events = Vec::new();
        while let Some(claim) = now(self.ordering.claim(100)).unwrap() {
            events.extend(claim.records().iter().map(published_event));
            let verdicts = vec![verdict.clone(); claim.records().len()];
            now(claim.settle(&verdicts)).unwrap();
        }
        events
    }

    /// Publishes all records that are due and applies them in the pharmacy.
    fn relay_to_pharmacy(&self) {
        let events = self.relay(&Verdict::Published);
        now(ReceiveOrders { orders: self.pharmacy.clone(), now: sample::now }
            .apply_batch(&events, &[]))
        .unwrap();
    }

    fn reconcile(&self, wait: impl Fn()) -> (Summary, Vec<Difference>) {
        self.reconcile_range(all(), wait)
    }

    fn reconcile_range(&self, range: OrderRange, wait: impl Fn()) -> (Summary, Vec<Difference>) {
        let ledgers = LedgerPair { published: &self.ordering, read_model: &self.pharmacy };
        let found = RefCell::new(Vec::new());
        let waited = async |time| {
            assert_eq!(time, GRACE);
            wait();
        };
        let summary = now(reconcile(&ledgers, range, GRACE, waited, async |differences| {
            found.borrow_mut().extend_from_slice(differences);
            Ok(())
        }));
        (summary.unwrap(), found.into_inner())
    }

    fn repair(&self, differences: &[Difference], wait: impl Fn()) -> Vec<(OrderId, RepairOutcome)> {
        let ledgers = LedgerPair { published: &self.ordering, read_model: &self.pharmacy };
        now(repair(&ledgers, differences, async |_| wait())).unwrap()
    }
}

fn published_event(record: &OutboxRecord) -> PublishedEvent {
    let n = (0..200).find(|&n| sample::order_id(n).get() == record.aggregate_id).unwrap();
    match record.aggregate_version {
        1 => sample::created(n),
        _ => sample::cancelled(n, 2),
    }
}

/// All sample orders. Their ids have the same millisecond.
fn all() -> OrderRange {
    OrderRange::of_ids(sample::order_id(0), sample::order_id(200))
}

/// A test case: what happens before the first check, and between the two checks.
struct Case {
    what: &'static str,
    before: fn(&Pipeline),
    between_checks: fn(&Pipeline),
    found: Option<DifferenceKind>,
    in_flight: u64,
}

const NOTHING: fn(&Pipeline) = |_| {};

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn an_order_is_a_difference_only_if_an_event_of_it_is_lost() {
    use DifferenceKind::{Differing, Extra, Missing};
    let cases = [
        Case {
            what: "all events have arrived",
            before: NOTHING,
            between_checks: NOTHING,
            found: None,
            in_flight: 0,
        },
        Case {
            what: "the pharmacy lost the order",
            before: |pipeline| pipeline.pharmacy.delete_order(sample::order_id(N)),
            between_checks: NOTHING,
            found: Some(Missing),
            in_flight: 0,
        },
        Case {
            what: "ordering lost the order",
            before: |pipeline| pipeline.ordering.delete_order(sample::order_id(N)),
            between_checks: NOTHING,
            found: Some(Extra),
            in_flight: 0,
        },
        Case {
            what: "the last event is lost",
            before: |pipeline| {
                pipeline.order(N, 2);
                pipeline.relay(&Verdict::Published);
            },
            between_checks: NOTHING,
            found: Some(Differing),
            in_flight: 0,
        },
        Case {
            what: "the first event is lost, the last has arrived",
            before: |pipeline| {
                pipeline.order(150, 1);
                pipeline.order(150, 2);
                pipeline.relay(&Verdict::Published);
                pipeline.pharmacy_receives(150, 2);
            },
            between_checks: NOTHING,
            found: Some(Differing),
            in_flight: 0,
        },
        Case {
            what: "ordering lost the last event",
            before: |pipeline| pipeline.pharmacy_receives(N, 2),
            between_checks: NOTHING,
            found: Some(Differing),
            in_flight: 0,
        },
        Case {
            what: "the only event is waiting in the outbox",
            before: |pipeline| pipeline.order(150, 1),
            between_checks: NOTHING,
            found: None,
            in_flight: 1,
        },
        Case {
            what: "the last event is waiting in the outbox",
            before: |pipeline| pipeline.order(N, 2),
            between_checks: NOTHING,
            found: None,
            in_flight: 1,
        },
        Case {
            what: "publishing the event failed",
            before: |pipeline| {
                pipeline.order(150, 1);
                let claim = now(pipeline.ordering.claim(1)).unwrap().unwrap();
                now(claim.settle(&[Verdict::Failed("busy".to_owned())])).unwrap();
            },
            between_checks: NOTHING,
            found: None,
            in_flight: 1,
        },
        Case {
            what: "the event was refused",
            before: |pipeline| {
                pipeline.order(150, 1);
                pipeline.relay(&Verdict::Refused("too large".to_owned()));
            },
            between_checks: NOTHING,
            found: None,
            in_flight: 1,
        },
        Case {
            what: "the event is published and arrives between the checks",
            before: |pipeline| pipeline.order(150, 1),
            between_checks: Pipeline::relay_to_pharmacy,
            found: None,
            in_flight: 1,
        },
        Case {
            what: "the event is in the topic and arrives between the checks",
            before: |pipeline| {
                pipeline.order(150, 1);
                pipeline.relay(&Verdict::Published);
            },
            between_checks: |pipeline| pipeline.pharmacy_receives(150, 1),
            found: None,
            in_flight: 0,
        },
        Case {
            what: "the order is placed and arrives between the checks",
            before: NOTHING,
            between_checks: |pipeline| {
                pipeline.order(150, 1);
                pipeline.relay_to_pharmacy();
            },
            found: None,
            in_flight: 0,
        },
        Case {
            what: "the event was lost, and is published again between the checks",
            before: |pipeline| {
                pipeline.order(N, 2);
                pipeline.relay(&Verdict::Published);
            },
            between_checks: |pipeline| pipeline.pharmacy_receives(N, 2),
            found: None,
            in_flight: 0,
        },
        Case {
            what: "the order was lost, and is due again between the checks",
            before: |pipeline| pipeline.pharmacy.delete_order(sample::order_id(N)),
            between_checks: |pipeline| {
                let order = [sample::order_id(N)];
                now(pipeline.ordering.republish(&order)).unwrap();
            },
            found: None,
            in_flight: 1,
        },
        Case {
            what: "the order was lost, and a later event arrives between the checks",
            before: |pipeline| pipeline.pharmacy.delete_order(sample::order_id(N)),
            between_checks: |pipeline| {
                pipeline.order(N, 2);
                pipeline.relay_to_pharmacy();
            },
            found: Some(Differing),
            in_flight: 0,
        },
        Case {
            what: "ordering lost an event, and another event of the order is waiting",
            before: |pipeline| {
                pipeline.pharmacy_receives(150, 2);
                pipeline.order(150, 1);
            },
            between_checks: NOTHING,
            found: Some(Differing),
            in_flight: 0,
        },
    ];
    for Case { what, before, between_checks, found, in_flight } in cases {
        let pipeline = Pipeline::with_orders();
        before(&pipeline);
        let (summary, differences) = pipeline.reconcile(|| between_checks(&pipeline));
        let kinds: Vec<DifferenceKind> = differences.iter().map(Difference::kind).collect();
        assert_eq!(kinds, found.into_iter().collect::<Vec<_>>(), "{what}: {differences:?}");
        assert_eq!(summary.differences(), u64::from(found.is_some()), "{what}");
        assert_eq!(summary.in_flight, in_flight, "{what}");
        let counts = [summary.missing, summary.extra, summary.differing];
        let expected = [Missing, Extra, Differing].map(|kind| u64::from(found == Some(kind)));
        assert_eq!(counts, expected, "{what}");
    }
}

#[test]
fn equal_ledgers_need_no_wait() {
    let pipeline = Pipeline::with_orders();
    let waits = Cell::new(0);
    let (summary, _) = pipeline.reconcile(|| waits.set(waits.get() + 1));
    assert_eq!(summary, Summary { published: 100, known: 100, ..Summary::default() });
    assert_eq!(waits.get(), 0);
}

#[test]
fn only_the_range_is_compared() {
    let pipeline = Pipeline::with_orders();
    for n in [4, 5, 9, 10] {
        pipeline.pharmacy.delete_order(sample::order_id(n));
    }
    let range = OrderRange::of_ids(sample::order_id(5), sample::order_id(10));
    let (summary, differences) = pipeline.reconcile_range(range, || ());
    let lost: Vec<OrderId> = differences.iter().map(|one| one.order_id).collect();
    assert_eq!(lost, [5, 9].map(sample::order_id));
    assert_eq!((summary.published, summary.known, summary.missing), (5, 3, 2));
}

#[test]
fn only_events_that_the_read_model_lacks_are_published_again() {
    let pipeline = Pipeline::with_orders();
    for n in [5, 6, 7] {
        pipeline.pharmacy.delete_order(sample::order_id(n));
    }
    pipeline.ordering.delete_events(sample::order_id(7));
    pipeline.ordering.delete_order(sample::order_id(8));
    let (_, differences) = pipeline.reconcile(|| ());
    assert_eq!(differences.len(), 4);

    let outcomes = pipeline.repair(&differences, || pipeline.relay_to_pharmacy());
    let (done, gone) = (RepairOutcome::Repaired, RepairOutcome::NotRetained { events: 0 });
    let expected = [(5, done), (6, done), (7, gone)].map(|(n, it)| (sample::order_id(n), it));
    assert_eq!(outcomes, expected);
    let (summary, left) = pipeline.reconcile(|| ());
    let left: Vec<OrderId> = left.iter().map(|one| one.order_id).collect();
    assert_eq!(left, [7, 8].map(sample::order_id));
    assert_eq!((summary.missing, summary.extra), (1, 1));
}

#[test]
fn a_repair_stops_waiting_when_no_relay_is_running() {
    let pipeline = Pipeline::with_orders();
    pipeline.pharmacy.delete_order(sample::order_id(5));
    let (_, differences) = pipeline.reconcile(|| ());
    let waits = Cell::new(0);
    let outcomes = pipeline.repair(&differences, || waits.set(waits.get() + 1));
    assert_eq!(outcomes, [(sample::order_id(5), RepairOutcome::NotArrived)]);
    assert_eq!(waits.get(), 30);
}
