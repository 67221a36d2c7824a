use std::future::Future;

use domain::Timestamp;

use domain::{EventId, OrderId};

use crate::dead_letters::DeadLetters;
use crate::notification::{Customers, NotificationViews, Notifications, Webhooks};
use crate::ordering::{Answers, CustomerOrders, OrderViews, Orders};
use crate::pharmacy::{PharmacyOrders, PharmacyViews};
use crate::published::DeadLetter;
use crate::reconcile::OrderLedger;
use crate::relay::{MeasureBacklog, Outbox, Replay};

/// A new, empty ordering store under test.
pub trait OrderingFixture {
    /// The port to change orders.
    type Orders: Orders;
    /// The port to read orders.
    type Views: OrderViews;
    /// The port to the outbox.
    type Outbox: Outbox;
    /// The port to the stored answers.
    type Answers: Answers;
    /// The port to what is stored about customers.
    type Customers: CustomerOrders;

    /// The port to change orders.
    fn orders(&self) -> Self::Orders;

    /// The port to read orders.
    fn views(&self) -> Self::Views;

    /// The port to the outbox.
    fn outbox(&self) -> Self::Outbox;

    /// The port to the stored answers.
    fn answers(&self) -> Self::Answers;

    /// The port to what is stored about customers.
    fn customers(&self) -> Self::Customers;

    /// Makes all delays end: everything that is delayed, such as a failed record, MUST be due
    /// afterwards.
    ///
    /// Tests also call it repeatedly while they wait for background work of the store, such as the
    /// release of a dropped claim. If that takes real time, this SHOULD wait a few milliseconds.
    fn let_delays_pass(&self) -> impl Future<Output = ()> + Send;
}

/// A new, empty pharmacy store under test.
pub trait PharmacyFixture {
    /// The port to change orders.
    type Orders: PharmacyOrders;
    /// The port to read orders.
    type Views: PharmacyViews;

    /// The port to change orders.
    fn orders(&self) -> Self::Orders;

    /// The port to read orders.
    fn views(&self) -> Self::Views;

    /// All stored dead letters, in any sequence.
    fn dead_letters(&self) -> impl Future<Output = Vec<DeadLetter>> + Send;

    /// The ids of the recorded events of this order that are to be published, in the sequence in which
    /// they will be.
    fn recorded(&self, order: OrderId) -> impl Future<Output = Vec<EventId>> + Send;
}

/// A new, empty notification store under test.
pub trait NotificationFixture {
    /// The port to record and send notifications.
    type Notifications: Notifications;
    /// The port to read notifications.
    type Views: NotificationViews;
    /// The port for contacts.
    type Customers: Customers;
    /// The port for webhooks.
    type Webhooks: Webhooks;

    /// The port to record and send notifications.
    fn notifications(&self) -> Self::Notifications;

    /// The port to read notifications.
    fn views(&self) -> Self::Views;

    /// The port for contacts.
    fn customers(&self) -> Self::Customers;

    /// The port for webhooks.
    fn webhooks(&self) -> Self::Webhooks;

    /// All stored dead letters, in any sequence.
    fn dead_letters(&self) -> impl Future<Output = Vec<DeadLetter>> + Send;

    /// Makes all pending notifications due: delays of retries pass and leases run out.
    fn let_delays_pass(&self) -> impl Future<Output = ()> + Send;
}

/// A new, empty store of any context under test, with its ledger of orders.
pub trait LedgerFixture {
    /// The ledger.
    type Ledger: OrderLedger;

    /// The ledger.
    fn ledger(&self) -> Self::Ledger;

    /// Adds the event of [`sample`](super::sample) order `n` with `version` 1 or 2 to the store.
    /// Tests add version 1 before version 2, except in `consumer_ledger_contract`.
    fn add_event(&self, n: u32, version: u32) -> impl Future<Output = ()> + Send;
}

/// A new, empty store of any context under test, with its dead letters.
pub trait DeadLetterFixture {
    /// The port for the dead letters.
    type DeadLetters: DeadLetters;

    /// The port for the dead letters.
    fn dead_letter_port(&self) -> Self::DeadLetters;

    /// Stores a dead letter of the event of [`sample`](super::sample) order `n` with `version`: 1 is an
    /// `OrderCreated`, 2 an `OrderCancelled`. Later calls MUST have greater numbers.
    fn add_dead_letter(
        &self,
        n: u32,
        version: u32,
        reason: &str,
    ) -> impl Future<Output = <Self::DeadLetters as DeadLetters>::Id> + Send;

    /// An id that no dead letter has.
    fn unknown_id(&self) -> <Self::DeadLetters as DeadLetters>::Id;
}

/// A new, empty ordering store under test, with what operators do about its outbox.
pub trait OperatorFixture: OrderingFixture {
    /// The port to publish events again.
    type Replay: Replay;
    /// The port for the figures of the outbox.
    type Backlog: MeasureBacklog;

    /// The port to publish events again.
    fn replay(&self) -> Self::Replay;

    /// The port for the figures of the outbox.
    fn backlog(&self) -> Self::Backlog;

    /// A time after all events stored so far, and not after those stored later.
    fn now(&self) -> impl Future<Output = Timestamp> + Send;
}
